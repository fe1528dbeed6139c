//! Options that choose a model, how it is held, and what runs it.

use anyhow::{Context, Result, bail};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use hala::{
    AnyBackend, BackendName, Chosen, DeviceOptions, Engine, ModelSource, Options, Runtime, RuntimeOptions,
    WeightFormat,
};
use hala_model::Inputs;
use hala_plan::Backend;
use hala_tensor::DType;
use hala_weights::Checkpoint;

use crate::app::App;
use crate::screen::Screen;
use crate::terminal;

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
    #[arg(long, value_name = "BACKEND", default_value_t, value_parser = backends())]
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

    /// Where its files are, fetched where they are on the Hub.
    ///
    /// # Errors
    /// No such model, or it cannot be fetched.
    fn source(&self, app: &App) -> Result<ModelSource> {
        let Some(model) = &self.model else { return Ok(ModelSource::BuiltIn) };
        let fetched = ModelSource::parse(model)?.fetched(&mut Screen::new(app), &app.fetching());
        fetched.with_context(|| format!("cannot fetch {model} from the Hub (there is no such path here)"))
    }

    /// The same model, fetched where it is on the Hub.
    ///
    /// # Errors
    /// No such model, or it cannot be fetched.
    pub(crate) fn fetched(&self, app: &App) -> Result<Self> {
        Ok(match self.source(app)? {
            ModelSource::Path(path) => Self { model: Some(path.display().to_string()) },
            _ => Self { model: self.model.clone() },
        })
    }

    /// Opens the checkpoint for its files alone, config and tokenizer: a folder may have no weights yet.
    ///
    /// # Errors
    /// As for [`CheckpointArgs::open`].
    pub(crate) fn open_files(&self, app: &App) -> Result<Checkpoint> {
        match self.source(app)? {
            ModelSource::Path(path) if path.is_dir() => Ok(Checkpoint::open_files(&path)?),
            source => Ok(source.open(&mut Screen::new(app), &app.fetching())?),
        }
    }

    /// Opens the checkpoint, fetching it first where it is on the Hub.
    ///
    /// # Errors
    /// No such model, or a damaged one.
    pub(crate) fn open(&self, app: &App) -> Result<Checkpoint> {
        Ok(self.source(app)?.open(&mut Screen::new(app), &app.fetching())?)
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

    /// What was chosen, with so many threads.
    pub(crate) fn options_on(&self, n_threads: usize, app: &App) -> RuntimeOptions {
        let cache = self.cache.map(|cache| match cache {
            CacheFormat::F32 => DType::F32,
            CacheFormat::F16 => DType::F16,
        });
        let inputs = if self.rounded_inputs { Inputs::Rounded } else { Inputs::Floats };
        RuntimeOptions {
            device: DeviceOptions {
                backend: self.backend,
                adapter: self.adapter.clone(),
                n_threads,
                is_small: self.checkpoint.is_built_in(),
                ..DeviceOptions::default()
            },
            weights: self.weights.unwrap_or_default(),
            model: Options { context: self.context, inputs, cache },
            n_parallel: None,
            ..app.fetching()
        }
    }

    /// What was chosen.
    ///
    /// # Errors
    /// Several numbers of threads.
    pub(crate) fn options(&self, app: &App) -> Result<RuntimeOptions> {
        Ok(self.options_on(self.n_threads()?, app))
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

    /// Sets up the device, opens the checkpoint, and loads the model; says on a terminal what the built-in one is.
    ///
    /// # Errors
    /// This machine cannot run it; no such model, a damaged or unsupported one, no memory, Ctrl-C.
    pub(crate) fn load(&self, app: &App) -> Result<Runtime> {
        self.load_with(self.options(app)?, app)
    }

    /// The same with options that differ.
    ///
    /// # Errors
    /// As for [`ModelArgs::load`].
    pub(crate) fn load_with(&self, options: RuntimeOptions, app: &App) -> Result<Runtime> {
        // A device that cannot be had is told of before a model is fetched.
        let certain = match options.device.is_certain() {
            true => Some(pollster::block_on(options.device.open())?),
            false => None,
        };
        self.load_on(certain, options, app)
    }

    /// The same on a device that is set up already, if one is.
    ///
    /// # Errors
    /// As for [`ModelArgs::load`].
    pub(crate) fn load_on(
        &self,
        chosen: Option<Chosen>,
        options: RuntimeOptions,
        app: &App,
    ) -> Result<Runtime> {
        let source = self.checkpoint.source(app)?;
        let notice = source.notice();
        let checkpoint = source.open(&mut Screen::new(app), &options)?;
        let _working = app.interrupt.working();
        let chosen = match chosen {
            Some(chosen) => chosen,
            None => pollster::block_on(options.open_device(&checkpoint, &mut Screen::new(app)))?,
        };
        let runtime = pollster::block_on(Runtime::on(chosen, checkpoint, options, Screen::new(app)))?;
        if let Some(notice) = notice.filter(|_| !app.quiet && terminal::stderr_is_terminal()) {
            terminal::notice_later(notice);
        }
        Ok(runtime)
    }

    /// The model of a runtime once more, on the CPU in plain loops and with caches of the same type.
    ///
    /// # Errors
    /// A device that was lost, no memory, Ctrl-C.
    pub(crate) fn load_plain(&self, runtime: &Runtime, app: &App) -> Result<Engine> {
        let mut options = self.options(app)?;
        options.model.cache.get_or_insert(runtime.engine()?.backend().cache_dtype());
        let plain = DeviceOptions { backend: BackendName::Plain, ..DeviceOptions::default() };
        let plain = pollster::block_on(plain.open())?;
        load(plain.backend, runtime.checkpoint(), &options, app)
    }
}

/// Loads a model behind a progress bar.
///
/// # Errors
/// A damaged or unsupported checkpoint, no memory, Ctrl-C.
pub(crate) fn load(
    backend: AnyBackend,
    checkpoint: &Checkpoint,
    options: &RuntimeOptions,
    app: &App,
) -> Result<Engine> {
    let _working = app.interrupt.working();
    Ok(hala::load(backend, checkpoint, options, &mut Screen::new(app))?)
}

/// The names of backends, each with what it is.
fn backends() -> impl TypedValueParser<Value = BackendName> {
    let value = |backend: BackendName| {
        PossibleValue::new(backend.name()).help(match backend {
            BackendName::Auto => "The fastest that this machine has",
            BackendName::Cpu => "The CPU, on all threads",
            BackendName::Wgpu => {
                "The GPU, through Vulkan, Metal or DX12; a software device where there is no other"
            }
            BackendName::Plain => {
                "The CPU, in plain loops with f64 sums on one thread: slow, and the truth that others are tested against"
            }
        })
    };
    PossibleValuesParser::new(BackendName::ALL.map(value)).try_map(|name| name.parse::<BackendName>())
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
