//! A model on a device, with what works on it, and the way on after a lost device.

use std::sync::Arc;
use std::time::Duration;

use hala_engine::{Handed, SchedulerOptions, Task, Translations};
use hala_plan::{Backend, Cancel};
use hala_weights::{Checkpoint, Reader};
use web_time::Instant;

use crate::current::Current;
use crate::device::Chosen;
use crate::engine::{Engine, Scheduler, Session};
use crate::error::Error;
use crate::event::{Event, Listener, Listening};
#[cfg(all(feature = "wgpu", not(target_family = "wasm")))]
use crate::gpus::taken::Taken;
use crate::loading::{NoReader, RuntimeOptions, load_from, notices};
#[cfg(not(all(feature = "wgpu", not(target_family = "wasm"))))]
use crate::no_gpus::taken::Taken;
use crate::sessions::{Sessions, Trim};
use crate::source::ModelSource;
use crate::unfit::Unfit;
use crate::why::Why;
use crate::work::Work;

/// A second loss within this time means that the device does not stand the work: the CPU takes over.
const LOSSES_APART: Duration = Duration::from_secs(60);

/// A model on a device, with what works on it. It does one piece of work at a time; for many texts at once there is
/// [`Runtime::scheduler`].
///
/// Where a GPU is lost, the model is loaded once more and the work goes on from its tokens; after a second loss within a minute, or
/// where no device comes back, on the CPU. The listener is told of both.
#[derive(Debug)]
pub struct Runtime<R = NoReader> {
    pub(crate) options: RuntimeOptions,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) reader: Option<R>,
    why: Why,
    /// The GPU that `auto` took.
    pub(crate) taken: Option<Taken>,
    /// Whether some work was begun.
    pub(crate) has_worked: bool,
    /// Whether the work that was begun last has not done a step.
    pub(crate) is_fresh: bool,
    pub(crate) listening: Listening,
    /// None where the device was lost and could not be set up again.
    sessions: Option<Sessions>,
    current: Current,
    lost_last: Option<Instant>,
}

impl Runtime {
    /// Chooses a device, opens the model, and moves it to the device.
    ///
    /// # Errors
    /// No such model, a damaged or unsupported one, no memory, a device that cannot be set up, stopped.
    pub async fn load(
        source: ModelSource,
        mut options: RuntimeOptions,
        listener: impl Listener + 'static,
    ) -> Result<Self, Error> {
        let mut listening = Listening(Box::new(listener));
        options.device.is_small |= source.is_built_in();
        // A device that cannot be had is told of before a model is fetched; which GPU is fit depends on the model.
        let certain = match options.device.is_certain() {
            true => Some(options.device.open().await?),
            false => None,
        };
        let checkpoint = source.open(listening.0.as_mut(), &options)?;
        let chosen = match certain {
            Some(chosen) => chosen,
            None => options.open_device(&checkpoint, listening.0.as_mut()).await?,
        };
        Self::start(chosen, checkpoint, None, options, listening).await
    }

    /// A checkpoint that is open already, on a device that is set up already.
    ///
    /// # Errors
    /// As for [`Runtime::load`].
    pub async fn on(
        chosen: Chosen,
        checkpoint: Checkpoint,
        options: RuntimeOptions,
        listener: impl Listener + 'static,
    ) -> Result<Self, Error> {
        Self::start(chosen, checkpoint, None, options, Listening(Box::new(listener))).await
    }
}

impl<R: Reader> Runtime<R> {
    /// A checkpoint whose weight files `reader` reads, tensor by tensor, as over a network: beside what the device holds, memory holds
    /// one tensor.
    ///
    /// # Errors
    /// As for [`Runtime::load`], and what the reader refuses.
    pub async fn read(
        checkpoint: Checkpoint,
        reader: R,
        options: RuntimeOptions,
        listener: impl Listener + 'static,
    ) -> Result<Self, Error> {
        let chosen = options.device.open().await?;
        Self::start(chosen, checkpoint, Some(reader), options, Listening(Box::new(listener))).await
    }

    async fn start(
        chosen: Chosen,
        checkpoint: Checkpoint,
        reader: Option<R>,
        options: RuntimeOptions,
        mut listening: Listening,
    ) -> Result<Self, Error> {
        chosen.notices.iter().cloned().for_each(|n| listening.0.tell(Event::Notice(n)));
        // Pages are told of none of these, so that their module need not hold what finds them out.
        if cfg!(not(target_family = "wasm")) {
            let about = notices(&checkpoint, options.weights);
            about.into_iter().for_each(|n| listening.0.tell(Event::Notice(n)));
        }
        let why = chosen.why.clone();
        let mut runtime = Self {
            options,
            checkpoint,
            reader,
            why,
            taken: None,
            has_worked: false,
            is_fresh: false,
            listening,
            sessions: None,
            current: Current::default(),
            lost_last: None,
        };
        runtime.settle(chosen).await?;
        // Whoever could stop this loading may use the flag for other work, which is not to stop the loading after a lost device.
        runtime.options.cancel = Cancel::new();
        Ok(runtime)
    }

    /// Moves the model to the device that was chosen; to the CPU where that is a GPU which `auto` took and which does not stand the model.
    async fn settle(&mut self, mut chosen: Chosen) -> Result<(), Error> {
        let taken = chosen.taken.take();
        let moved = self.take(chosen).await;
        let Some(mut taken) = taken else { return moved };
        let unfit = match moved {
            Ok(()) => {
                let engine = Arc::clone(self.engine()?);
                match taken.pass(&engine, self.listening.0.as_mut()).await {
                    Ok(()) => {
                        self.taken = Some(taken);
                        return Ok(());
                    }
                    Err(unfit) => unfit,
                }
            }
            Err(error) if error.is_of_device() => {
                let unfit = Unfit::Refused { reason: error.to_string() };
                taken.leave_alone(unfit.clone());
                unfit
            }
            Err(error) => return Err(error),
        };
        // What the GPU holds must be free before the CPU takes as much: phones' GPUs share its memory.
        self.sessions = None;
        self.current.set(None);
        let why = Why::Unfit { device: taken.device().to_owned(), unfit };
        let chosen = self.options.device.cpu_instead(why)?;
        chosen.notices.iter().cloned().for_each(|n| self.listening.0.tell(Event::Notice(n)));
        self.take(chosen).await
    }

    /// Moves the model to a device.
    async fn take(&mut self, chosen: Chosen) -> Result<(), Error> {
        let Self { options, checkpoint, reader, listening, .. } = self;
        let listener = listening.0.as_mut();
        let engine = load_from(chosen.backend, checkpoint, reader.as_ref(), options, listener).await?;
        self.put(Arc::new(engine), chosen.why);
        Ok(())
    }

    /// Goes on with an engine.
    pub(crate) fn put(&mut self, engine: Arc<Engine>, why: Why) {
        let options = SchedulerOptions { n_parallel: self.options.n_parallel, ..SchedulerOptions::default() };
        self.sessions = Some(Sessions::new(Arc::clone(&engine), options));
        self.current.set(Some((engine, why.clone())));
        self.why = why;
    }

    /// The model on its device.
    ///
    /// # Errors
    /// The device was lost, and none could be set up again.
    pub fn engine(&self) -> Result<&Arc<Engine>, Error> {
        Ok(self.sessions.as_ref().ok_or(Error::Lost)?.engine())
    }

    /// The model's checkpoint as it was opened.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The engine that runs, for what may be asked from other threads while this works.
    pub fn current(&self) -> &Current {
        &self.current
    }

    /// Why this device runs the model.
    pub fn why(&self) -> &Why {
        &self.why
    }

    /// The session that conversations go on in. Whoever uses it by hand calls [`Runtime::recover`] where a device is lost.
    ///
    /// # Errors
    /// No memory for its state; a device that is lost for good.
    pub async fn session(&mut self) -> Result<&mut Session, Error> {
        Ok(self.sessions.as_mut().ok_or(Error::Lost)?.chat().await?)
    }

    /// What works on many texts at once. Whoever uses it by hand calls [`Runtime::recover`] where a device is lost.
    ///
    /// # Errors
    /// No memory for its states; a device that is lost for good.
    pub fn scheduler(&mut self) -> Result<&mut Scheduler, Error> {
        Ok(self.sessions.as_mut().ok_or(Error::Lost)?.scheduler()?)
    }

    /// Sets the model up once more after a device was lost: on the same device, or on the CPU where that was lost twice in a short
    /// time or cannot be set up again. What was computed is gone, and is computed again from its tokens.
    ///
    /// # Errors
    /// No other device can be set up, or the model's files cannot be read again.
    pub async fn recover(&mut self, reason: &str) -> Result<(), Error> {
        let now = Instant::now();
        let is_second = self.lost_last.replace(now).is_some_and(|last| now - last < LOSSES_APART);
        // What the lost device held must be free before another takes as much.
        self.sessions = None;
        self.current.set(None);
        self.listening.0.tell(Event::DeviceLost { reason });
        if !is_second && let Ok(chosen) = self.options.device.reopen(&self.why, self.taken.as_ref()).await {
            match self.take(chosen).await {
                Err(error) if error.code() == "reader" || error.is_cancelled() => return Err(error),
                Err(_) => {}
                Ok(()) => return Ok(()),
            }
        }
        if let Some(mut taken) = self.taken.take() {
            taken.leave_alone(Unfit::Lost { reason: reason.to_owned() });
        }
        let chosen = self.options.device.cpu(Why::Lost)?;
        self.take(chosen).await?;
        let Self { listening, sessions: Some(sessions), .. } = self else { return Err(Error::Lost) };
        let device = sessions.engine().backend().device();
        listening.0.tell(Event::DeviceChanged { device, reason });
        Ok(())
    }

    /// Gives memory back, as where a system runs out of it: pages and slots that nothing holds, and scratch memory.
    ///
    /// # Errors
    /// A device that is lost for good.
    pub async fn trim(&mut self, trim: Trim) -> Result<(), Error> {
        match self.sessions.as_mut().ok_or(Error::Lost)?.trim(trim).await {
            // Nothing is held then.
            Err(error) if error.is_device_lost() => self.recover(&error.to_string()).await,
            done => Ok(done?),
        }
    }

    /// Makes the scheduler, where there is none, on another device where one is lost.
    ///
    /// # Errors
    /// As for [`Runtime::scheduler`].
    pub(crate) async fn make_scheduler(&mut self) -> Result<(), Error> {
        match self.scheduler() {
            Err(error) if error.is_device_lost() => self.recover(&error.to_string()).await,
            made => made.map(drop),
        }
    }

    /// As [`Scheduler::step`], on another device where one is lost: for texts that begin and end at any time.
    ///
    /// # Errors
    /// A device that is lost for good. What concerns one task alone is that task's.
    pub async fn step_tasks<T: Task>(&mut self, tasks: &mut [T]) -> Result<(), Error> {
        self.make_scheduler().await?;
        match self.scheduler()?.step(tasks).await {
            Err(error) if error.is_device_lost() => self.recover(&error.to_string()).await,
            done => Ok(done?),
        }
    }

    /// As [`Translations::step`], on another device where one is lost.
    ///
    /// # Errors
    /// As for [`Translations::step`], and a device that is lost for good.
    pub async fn step_translations(&mut self, translations: &mut Translations) -> Result<Handed, Error> {
        self.make_scheduler().await?;
        match translations.step(self.scheduler()?).await {
            Err(error) if error.is_device_lost() => {
                self.recover(&error.to_string()).await?;
                Ok(Handed::Nothing)
            }
            done => Ok(done?),
        }
    }

    /// One step of some work; after a lost device, on another.
    pub(crate) async fn step<W: Work>(&mut self, work: &mut W) -> Result<Option<Vec<W::Piece>>, Error> {
        if std::mem::take(&mut self.is_fresh) {
            self.begin_work().await?;
        }
        loop {
            match work.step(self.sessions.as_mut().ok_or(Error::Lost)?).await {
                Err(error) if error.is_device_lost() => {
                    work.lose();
                    self.recover(&error.to_string()).await?;
                }
                done => return Ok(done?),
            }
        }
    }
}
