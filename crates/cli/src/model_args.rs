//! Options that choose a model, how it is held, and what runs it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use hala::{AnyBackend, Engine};
use hala_backend_cpu::CpuBackend;
use hala_backend_wgpu::{AdapterChoice, WgpuBackend};
use hala_engine::LoadOptions;
use hala_model::{Inputs, Options, WeightFormat};
use hala_plan::{Backend, BackendError};
use hala_tensor::DType;
use hala_weights::Checkpoint;
use hala_weights::hub::{HubSettings, ModelSpec};

use crate::App;
use crate::progress::{LoadBar, PullBars};
use crate::{terminal, tuned};

/// The most threads that may be asked for: more than any machine has, few enough not to break one.
const MAX_THREADS: u64 = 1024;

/// How a model is named.
pub(crate) const MODEL_HELP: &str = "A folder in Hugging Face layout, a .safetensors or GGUF file, or a Hub \
    id owner/name[@revision], with :Q4_K_M or the like for one of its GGUF files; the built-in translator where nothing is given";

/// Which model is meant, where a command needs no more than its files.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct CheckpointArgs {
    #[arg(long, short, value_name = "MODEL", help = MODEL_HELP)]
    model: Option<String>,
}

/// Which model is meant, and how it runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub(crate) struct ModelArgs {
    #[command(flatten)]
    checkpoint: CheckpointArgs,

    /// How matrices are held; `auto` keeps a quantised checkpoint as it is and makes others int8
    #[arg(long, value_name = "FORMAT", value_parser = weight_formats())]
    weights: Option<WeightFormat>,

    /// What runs the model; `auto` takes the fastest that this machine has
    #[arg(long, value_enum, value_name = "BACKEND", default_value_t = BackendName::Auto)]
    backend: BackendName,

    /// The GPU whose name contains this text, where there are several
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,

    /// Threads of the CPU; 0 for as many as the machine runs at once. `hala bench` takes several numbers, as in 1,2,4
    #[arg(
        long, value_name = "N", default_value = "0", value_delimiter = ',', value_parser = threads(),
        allow_negative_numbers = true
    )]
    threads: Vec<usize>,

    /// How keys and values of earlier tokens are held: f16 on GPUs and f32 on CPUs unless given
    #[arg(long, value_enum, value_name = "FORMAT")]
    cache: Option<CacheFormat>,

    /// Round the inputs of a compressed checkpoint's weights as it asks of other engines, to see what those compute
    #[arg(long)]
    rounded_inputs: bool,

    /// Tokens that a session holds
    #[arg(long, value_name = "N", allow_negative_numbers = true, help = format!(
        "Tokens that a session holds [default: {} or the model's limit]", Options::DEFAULT_CONTEXT
    ))]
    context: Option<usize>,
}

/// The backends by the names that users give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BackendName {
    /// The fastest that this machine has
    Auto,
    /// The CPU, on all threads
    Cpu,
    /// The GPU, through Vulkan, Metal or DX12; a software device where there is no other
    Wgpu,
    /// The CPU, in plain loops with f64 sums on one thread: slow, and the truth that others are tested against
    Plain,
}

/// Element types of the KV cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CacheFormat {
    F32,
    F16,
}

impl CheckpointArgs {
    /// A choice that was made in another way than by `--model`.
    pub(crate) fn new(model: Option<String>) -> Self {
        Self { model }
    }

    /// Whether the built-in model is meant.
    pub(crate) fn is_built_in(&self) -> bool {
        self.model.is_none()
    }

    /// The model in words.
    pub(crate) fn name(&self) -> &str {
        self.model.as_deref().unwrap_or(hala_demo_model::NAME)
    }

    /// The same model, fetched where it is on the Hub.
    ///
    /// # Errors
    /// No such model, or it cannot be fetched.
    pub(crate) fn fetched(&self, app: &App) -> Result<Self> {
        let path = self.model.as_deref().map(|model| resolve(model, app)).transpose()?;
        Ok(Self { model: path.map(|path| path.display().to_string()) })
    }

    /// Opens the checkpoint, fetching it first where it is on the Hub.
    ///
    /// # Errors
    /// No such model, or a damaged one.
    pub(crate) fn open(&self, app: &App) -> Result<Checkpoint> {
        match &self.model {
            None => Ok(Checkpoint::from_files(hala_demo_model::files())?),
            Some(model) => Ok(Checkpoint::open(&resolve(model, app)?)?),
        }
    }
}

impl ModelArgs {
    /// Which model is meant.
    pub(crate) fn checkpoint(&self) -> &CheckpointArgs {
        &self.checkpoint
    }

    /// How matrices are held, as asked for.
    pub(crate) fn weights(&self) -> Option<WeightFormat> {
        self.weights
    }

    /// Tokens that a session holds, as asked for.
    pub(crate) fn context(&self) -> Option<usize> {
        self.context
    }

    /// Choices for a model with a context of so many tokens.
    pub(crate) fn model_options(&self, context: Option<usize>) -> Options {
        let cache = self.cache.map(|cache| match cache {
            CacheFormat::F32 => DType::F32,
            CacheFormat::F16 => DType::F16,
        });
        let inputs = if self.rounded_inputs { Inputs::Rounded } else { Inputs::Floats };
        Options { context, inputs, cache }
    }

    /// The numbers of threads that were asked for.
    pub(crate) fn thread_counts(&self) -> &[usize] {
        &self.threads
    }

    /// The number of threads, where there is one.
    fn n_threads(&self) -> Result<usize> {
        match self.threads[..] {
            [n_threads] => Ok(n_threads),
            _ => bail!("--threads takes one number here; `hala bench` measures several"),
        }
    }

    /// Makes the backend.
    ///
    /// # Errors
    /// This machine cannot run it; several numbers of threads.
    pub(crate) fn backend(&self, app: &App) -> Result<AnyBackend> {
        self.backend_on(self.n_threads()?, app)
    }

    /// Makes the backend with so many threads.
    ///
    /// # Errors
    /// This machine cannot run it.
    pub(crate) fn backend_on(&self, n_threads: usize, app: &App) -> Result<AnyBackend> {
        let cpu = || -> Result<AnyBackend> { Ok(CpuBackend::threaded(n_threads)?.into()) };
        let wgpu = || self.open_wgpu(app).map(AnyBackend::from);
        match self.backend {
            BackendName::Cpu => cpu(),
            BackendName::Plain => Ok(CpuBackend::plain().into()),
            BackendName::Wgpu => Ok(wgpu()?),
            BackendName::Auto if self.adapter.is_some() => Ok(wgpu()?),
            // The built-in model answers sooner than a GPU is set up.
            BackendName::Auto if self.checkpoint.is_built_in() => cpu(),
            BackendName::Auto => wgpu().or_else(|reason| {
                if !app.quiet {
                    terminal::notice_later(&format!("running on the CPU: {reason}"));
                }
                cpu()
            }),
        }
    }

    /// Sets up once more what was lost.
    ///
    /// # Errors
    /// This machine cannot run it, or cannot any more.
    pub(crate) fn reopen(&self, lost: &AnyBackend, app: &App) -> Result<AnyBackend> {
        match lost.as_wgpu() {
            Some(_) => Ok(self.open_wgpu(app)?.into()),
            None => Ok(CpuBackend::threaded(self.n_threads()?)?.into()),
        }
    }

    /// A device of the adapter that is meant, with what was measured for it.
    fn open_wgpu(&self, app: &App) -> Result<WgpuBackend, BackendError> {
        let choice = match (&self.adapter, self.backend) {
            (None, BackendName::Auto) => AdapterChoice::Real,
            (name, _) => adapter_choice(name.as_deref()),
        };
        let backend = pollster::block_on(WgpuBackend::new(&choice))?;
        tuned::apply(&backend, app);
        Ok(backend)
    }

    /// Opens the checkpoint and loads the model; says on a terminal what the built-in one is.
    ///
    /// # Errors
    /// No such model, a damaged or unsupported one, no memory, Ctrl-C.
    pub(crate) fn load(&self, backend: AnyBackend, app: &App) -> Result<Engine> {
        let options = LoadOptions {
            weights: self.weights.unwrap_or_default(),
            model: self.model_options(self.context),
        };
        let checkpoint = self.checkpoint.open(app)?;
        self.tell_of_conversion(&checkpoint, app);
        let engine = load(backend, &checkpoint, options, app)?;
        if self.checkpoint.is_built_in() && !app.quiet && terminal::stderr_is_terminal() {
            terminal::notice_later(hala_demo_model::NOTICE);
        }
        Ok(engine)
    }

    /// The model of an engine once more, on the CPU in plain loops and with caches of the same type.
    ///
    /// # Errors
    /// As for [`ModelArgs::load`].
    pub(crate) fn load_plain(&self, engine: &Engine, app: &App) -> Result<Engine> {
        let model = self.model_options(self.context);
        let model = Options { cache: model.cache.or(Some(engine.backend().cache_dtype())), ..model };
        let options = LoadOptions { weights: self.weights.unwrap_or_default(), model };
        load(CpuBackend::plain().into(), &self.checkpoint.open(app)?, options, app)
    }
}

impl ModelArgs {
    /// Says which weights are not held as their file has them.
    fn tell_of_conversion(&self, checkpoint: &Checkpoint, app: &App) {
        if !app.quiet {
            checkpoint.passed_over().into_iter().for_each(terminal::notice);
        }
        if app.quiet
            || !terminal::stderr_is_terminal()
            || self.weights.is_some_and(|w| w != WeightFormat::Auto)
        {
            return;
        }
        let types: Vec<_> = checkpoint.converted().iter().map(ToString::to_string).collect();
        if !types.is_empty() {
            terminal::notice_later(&format!("weights in {} are held as int8", types.join(" and ")));
        }
    }
}

/// The adapter of `--adapter`, or the best.
pub(crate) fn adapter_choice(name: Option<&str>) -> AdapterChoice {
    name.map_or(AdapterChoice::Best, |name| AdapterChoice::Named(name.to_owned()))
}

/// Loads a model behind a progress bar.
///
/// # Errors
/// A damaged or unsupported checkpoint, no memory, Ctrl-C.
pub(crate) fn load<B: Backend>(
    backend: B,
    checkpoint: &Checkpoint,
    options: LoadOptions,
    app: &App,
) -> Result<hala_engine::Engine<B>> {
    let _working = app.interrupt.working();
    let mut bar = LoadBar::new(app);
    let engine = hala_engine::Engine::load(backend, checkpoint, options, |progress| {
        bar.update(progress);
        !app.interrupt.cancel().is_cancelled()
    })?;
    Ok(engine)
}

/// The path of a model's folder or file; a Hub model is fetched behind progress bars.
///
/// # Errors
/// No such model, or it cannot be fetched.
pub(crate) fn resolve(model: &str, app: &App) -> Result<PathBuf> {
    match ModelSpec::parse(model)? {
        ModelSpec::Path(path) => Ok(path),
        ModelSpec::Hub(model) => {
            let settings = HubSettings::from_env()?;
            let mut bars = PullBars::new(app);
            hala_weights::hub::pull(&model, &settings, &mut |event| bars.update(event))
                .with_context(|| format!("cannot fetch {model} from the Hub (there is no such path here)"))
        }
    }
}

/// The names of weight formats.
pub(crate) fn weight_formats() -> impl TypedValueParser<Value = WeightFormat> {
    let names = PossibleValuesParser::new(WeightFormat::ALL.map(WeightFormat::name));
    names.try_map(|name| name.parse::<WeightFormat>())
}

/// How many threads `--threads` means.
pub(crate) fn n_threads(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        n => n,
    }
}

/// A number of sequences at once.
pub(crate) fn parallel() -> impl TypedValueParser<Value = usize> {
    clap::value_parser!(u16).range(1..).map(usize::from)
}

/// A number of threads, or 0.
pub(crate) fn threads() -> impl TypedValueParser<Value = usize> {
    clap::value_parser!(u64).range(..=MAX_THREADS).map(|n| n as usize)
}
