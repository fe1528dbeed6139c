//! Which of the GPU that `auto` took and the CPU decodes the model faster: measured once, before the second piece of work, and remembered.

use std::sync::Arc;
use std::time::Duration;

use hala_engine::{Draft, EngineError, GenerateOptions, Generation, Session};
use hala_plan::Cancel;
use hala_weights::Reader;
use web_time::Instant;

use crate::engine::Engine;
use crate::error::Error;
use crate::event::{Event, Listener};
use crate::loading::load_from;
use crate::runtime::Runtime;
use crate::why::Why;

/// Tokens that are decoded before any counts: Plans are made ready, and caches and clocks warm up.
const N_UNCOUNTED: usize = 3;

/// Tokens that count, where the time for them is enough.
const N_COUNTED: usize = 16;

/// What they may take on one device.
const BUDGET: Duration = Duration::from_millis(500);

/// The tokens that everything is generated after.
const PROMPT: [u32; 4] = [1, 2, 3, 4];

impl<R: Reader> Runtime<R> {
    /// Is called where some work begins while there is none: before the second, the first one's answer being there, devices are compared.
    ///
    /// # Errors
    /// None of the comparison's own: what goes wrong in it leaves everything as it is.
    pub(crate) async fn begin_work(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.has_worked, true) {
            self.compare_devices().await?;
        }
        Ok(())
    }

    /// Measures whether the CPU decodes the model faster than the GPU that `auto` took, and goes on with the faster; tells whether that is another device
    /// now, which then computes again what conversations hold.
    ///
    /// It happens by itself before the second piece of work, on a GPU that shares the CPU's memory or as
    /// [`DeviceOptions::compares`](crate::DeviceOptions::compares) says; an app may choose a better moment. It takes a second and, for so long, the model's
    /// memory once more; where that is not there, nothing is measured. The result is remembered for the model's class, the GPU, its driver and this version
    /// of Hala, and is done once.
    ///
    /// # Errors
    /// None of its own: what goes wrong in it leaves everything as it is.
    pub async fn compare_devices(&mut self) -> Result<bool, Error> {
        let is_due =
            self.taken.as_mut().is_some_and(|taken| taken.begin_comparison(self.options.device.compares));
        if !is_due {
            return Ok(false);
        }
        let Ok((cpu, times)) = self.measure().await else { return Ok(false) };
        let Some(unfit) = self.taken.as_mut().and_then(|taken| taken.end_comparison(times)) else {
            return Ok(false);
        };
        let device = self.engine()?.device().name.clone();
        let why = Why::Unfit { device, unfit };
        let reason = why.to_string();
        self.taken = None;
        self.put(Arc::clone(&cpu), why);
        self.listening.0.tell(Event::DeviceChanged { device: cpu.device(), reason: &reason });
        Ok(true)
    }

    /// Loads the model on the CPU too, and measures the time of a token on the GPU and on the CPU.
    async fn measure(&mut self) -> Result<(Arc<Engine>, [Duration; 2]), Error> {
        let gpu = Arc::clone(self.engine()?);
        let gpu_time = time(&gpu).await?;
        let cpu = self.options.device.cpu(Why::Lost)?.backend;
        let Self { options, checkpoint, reader, .. } = self;
        let silent: &mut dyn Listener = &mut |_: Event<'_>| {};
        let cpu = Arc::new(load_from(cpu, checkpoint, reader.as_ref(), options, silent).await?);
        let cpu_time = time(&cpu).await?;
        Ok((cpu, [gpu_time, cpu_time]))
    }
}

/// The time of a token that an engine decodes, as it would in an answer.
async fn time(engine: &Arc<Engine>) -> Result<Duration, EngineError> {
    let (n_vocab, cancel) = (engine.model().facts().n_vocab, Cancel::new());
    let prompt = PROMPT.map(|id| id % n_vocab as u32);
    let options = GenerateOptions {
        max_tokens: Some(N_UNCOUNTED + N_COUNTED),
        ignore_eos: true,
        // What is generated after nothing says nothing of how much texts repeat.
        draft: Draft::Off,
        ..GenerateOptions::default()
    };
    let mut session = Session::new(Arc::clone(engine)).await?;
    let mut generation = Generation::new(&session, &prompt, &options, &cancel)?;
    for _ in 0..N_UNCOUNTED {
        generation.next(&mut session).await?;
    }
    let (start, mut n) = (Instant::now(), 0);
    while (n == 0 || start.elapsed() < BUDGET) && generation.next(&mut session).await?.is_some() {
        n += 1;
    }
    match n {
        0 => Err(EngineError::Cancelled),
        n => Ok(start.elapsed() / n),
    }
}
