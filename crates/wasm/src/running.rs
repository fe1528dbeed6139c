//! An engine on the backend that was chosen, with its sessions.

use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
#[cfg(feature = "webgpu")]
use hala_backend_wgpu::{AdapterChoice, WgpuBackend};
use hala_engine::{Engine, EngineError, LoadProgress, Scheduler, SchedulerOptions, Session};
use hala_plan::Backend;
use hala_weights::Checkpoint;

use crate::error::Failure;
use crate::host::HostReader;
#[cfg(target_family = "wasm")]
use crate::host::pause;
use crate::reply::{Info, SamplingReport};
use crate::request::{BackendName, LoadRequest};

/// An engine with what works on it, made when it is first used: a conversation goes on where it was after a translation.
#[derive(Debug)]
pub(crate) struct Sessions<B: Backend> {
    pub(crate) engine: Arc<Engine<B>>,
    chat: Option<Session<B>>,
    scheduler: Option<Scheduler<B>>,
    options: SchedulerOptions,
}

/// The same on either backend.
#[derive(Debug)]
pub(crate) enum Running {
    Cpu(Sessions<CpuBackend>),
    #[cfg(feature = "webgpu")]
    Wgpu(Sessions<WgpuBackend>),
}

/// A handle of the engine on either backend.
#[derive(Debug)]
pub(crate) enum AnyEngine {
    Cpu(Arc<Engine<CpuBackend>>),
    #[cfg(feature = "webgpu")]
    Wgpu(Arc<Engine<WgpuBackend>>),
}

/// Evaluates an expression with the engine of whichever backend it is.
macro_rules! with_engine {
    ($any:expr, $engine:ident => $body:expr) => {
        match $any {
            $crate::running::AnyEngine::Cpu($engine) => $body,
            #[cfg(feature = "webgpu")]
            $crate::running::AnyEngine::Wgpu($engine) => $body,
        }
    };
}
pub(crate) use with_engine;

impl AnyEngine {
    /// What was loaded and what runs it.
    pub(crate) fn info(&self) -> Info {
        match self {
            Self::Cpu(engine) => info(engine, BackendName::Wasm, false, engine.backend().n_threads()),
            #[cfg(feature = "webgpu")]
            Self::Wgpu(engine) => info(engine, BackendName::WebGpu, engine.backend().has_subgroups(), 1),
        }
    }
}

/// Evaluates an expression with the sessions of whichever backend it is.
macro_rules! with_sessions {
    ($running:expr, $sessions:ident => $body:expr) => {
        match $running {
            $crate::running::Running::Cpu($sessions) => $body,
            #[cfg(feature = "webgpu")]
            $crate::running::Running::Wgpu($sessions) => $body,
        }
    };
}
pub(crate) use with_sessions;

impl<B: Backend> Sessions<B> {
    pub(crate) fn new(engine: Engine<B>, options: SchedulerOptions) -> Self {
        Self { engine: Arc::new(engine), chat: None, scheduler: None, options }
    }

    /// The session for conversations.
    ///
    /// # Errors
    /// No memory for its state.
    pub(crate) async fn chat(&mut self) -> Result<&mut Session<B>, EngineError> {
        let made = match self.chat.take() {
            Some(session) => session,
            None => Session::new(Arc::clone(&self.engine)).await?,
        };
        Ok(self.chat.insert(made))
    }

    /// What works on the sentences of translations, and on several replies to one conversation.
    ///
    /// # Errors
    /// No memory for their states.
    pub(crate) fn scheduler(&mut self) -> Result<&mut Scheduler<B>, EngineError> {
        let made = match self.scheduler.take() {
            Some(scheduler) => scheduler,
            None => Scheduler::new(Arc::clone(&self.engine), self.options)?,
        };
        Ok(self.scheduler.insert(made))
    }
}

impl Running {
    /// Loads the model onto a backend.
    ///
    /// # Errors
    /// A damaged or unsupported model, no memory, a device that cannot be set up.
    pub(crate) async fn load(
        backend: BackendName,
        request: &LoadRequest,
        checkpoint: &mut Checkpoint,
        reader: &HostReader,
        progress: impl FnMut(LoadProgress<'_>) -> bool,
    ) -> Result<Self, Failure> {
        let options = request.options()?;
        match backend {
            BackendName::Wasm => {
                let backend = pausing(CpuBackend::threaded(request.threads)?);
                let engine = Engine::load_from(backend, checkpoint, reader, options, progress).await?;
                Ok(Self::Cpu(Sessions::new(engine, request.scheduler())))
            }
            #[cfg(not(feature = "webgpu"))]
            BackendName::WebGpu => {
                let message = "this module computes on the CPU alone: load the one for one thread";
                Err(Failure::new("device-refused", message))
            }
            #[cfg(feature = "webgpu")]
            BackendName::WebGpu => {
                let choice = AdapterChoice::Best;
                let backend = if request.subgroups {
                    WgpuBackend::with_subgroups(&choice).await?
                } else {
                    WgpuBackend::new(&choice).await?
                };
                let engine = Engine::load_from(backend, checkpoint, reader, options, progress).await?;
                Ok(Self::Wgpu(Sessions::new(engine, request.scheduler())))
            }
        }
    }

    /// The engine.
    pub(crate) fn engine(&self) -> AnyEngine {
        match self {
            Self::Cpu(sessions) => AnyEngine::Cpu(Arc::clone(&sessions.engine)),
            #[cfg(feature = "webgpu")]
            Self::Wgpu(sessions) => AnyEngine::Wgpu(Arc::clone(&sessions.engine)),
        }
    }
}

/// The backend with pauses, in which the worker sees to its messages.
#[cfg(target_family = "wasm")]
fn pausing(backend: CpuBackend) -> CpuBackend {
    backend.pausing(pause)
}

/// As it is: where this is compiled for its types alone, a page's promises are nothing that threads could share.
#[cfg(not(target_family = "wasm"))]
fn pausing(backend: CpuBackend) -> CpuBackend {
    backend
}

fn info<B: Backend>(engine: &Engine<B>, backend: BackendName, subgroups: bool, threads: usize) -> Info {
    let facts = engine.model().facts();
    Info {
        family: facts.family,
        parameters: facts.n_parameters,
        layers: facts.n_layers,
        width: facts.width,
        vocabulary: facts.n_vocab,
        context: facts.context,
        max_context: facts.max_context,
        weight_bytes: engine.weight_bytes(),
        cache_bytes_per_token: facts.cache_bytes_per_token,
        sampling: SamplingReport::new(engine.sampling_defaults()),
        backend,
        device: engine.device().name.clone(),
        subgroups,
        threads,
    }
}
