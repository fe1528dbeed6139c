//! Which device is wanted, and which was set up.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use hala_backend_cpu::Pause;

use crate::any_backend::AnyBackend;
use crate::compares::Compares;
use crate::event::Notice;
#[cfg(all(feature = "wgpu", not(target_family = "wasm")))]
use crate::gpus::taken::Taken;
#[cfg(not(all(feature = "wgpu", not(target_family = "wasm"))))]
use crate::no_gpus::taken::Taken;
use crate::why::Why;

/// The backends by the names that users give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BackendName {
    /// The fastest that this machine has: a real GPU, or else the CPU.
    #[default]
    Auto,
    /// The CPU, on all threads.
    Cpu,
    /// The GPU; a software device where there is no other.
    Wgpu,
    /// The CPU, in plain loops with f64 sums on one thread: slow, and the truth that others are tested against.
    Plain,
}

impl BackendName {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Cpu, Self::Wgpu, Self::Plain];

    /// The name that users give.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Wgpu => "wgpu",
            Self::Plain => "plain",
        }
    }
}

impl fmt::Display for BackendName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BackendName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|backend| backend.name() == text);
        found.ok_or_else(|| format!("{text:?} is no backend; there are: {}", names()))
    }
}

/// Which device is wanted. The default is the fastest that this machine has.
#[derive(Debug, Clone, Default)]
pub struct DeviceOptions {
    /// The backend.
    pub backend: BackendName,
    /// The GPU whose name contains this text, whatever its case.
    pub adapter: Option<String>,
    /// Threads of the CPU; 0 for as many as the machine runs at once.
    pub n_threads: usize,
    /// Whether the page adds subgroups to the features that a browser's device is asked for.
    pub subgroups: bool,
    /// What is awaited now and then while the CPU computes, for a browser's worker to see to its messages.
    pub pause: Option<Pause>,
    /// Whether the model is so small that the CPU answers sooner than a GPU is set up.
    pub is_small: bool,
    /// The folder in which what is known of GPUs is kept: which of them `auto` leaves alone, and which kernels are fast; `None` for Hala's in the
    /// user's folder for caches. An app on a phone names one that is neither emptied nor backed up (`noBackupFilesDir`).
    pub folder: Option<PathBuf>,
    /// Which GPUs `auto` looks at.
    pub looks_at: LooksAt,
    /// With which GPUs that `auto` took the CPU is compared, so that the faster decodes.
    pub compares: Compares,
}

/// Which GPUs `auto` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LooksAt {
    /// Real ones.
    #[default]
    Real,
    /// Where there is none, also the first program on the CPU that plays one: for tests.
    All,
}

/// A device that was set up.
#[derive(Debug)]
pub struct Chosen {
    /// The backend on it.
    pub backend: AnyBackend,
    /// Why it is this one.
    pub why: Why,
    /// What is good to know of it.
    pub notices: Vec<Notice>,
    /// What `auto` has to do with the GPU that it took.
    pub(crate) taken: Option<Taken>,
}

impl Chosen {
    /// A device that was set up by hand.
    pub fn new(backend: AnyBackend, why: Why) -> Self {
        Self { backend, why, notices: Vec::new(), taken: None }
    }
}
