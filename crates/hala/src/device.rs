//! Which device runs a model, and why that one.

use std::fmt;
use std::str::FromStr;

use hala_backend_cpu::{CpuBackend, Pause};
#[cfg(feature = "wgpu")]
use hala_backend_wgpu::{AdapterChoice, WgpuBackend};
use hala_plan::BackendError;

use crate::any_backend::AnyBackend;
use crate::event::Notice;

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
}

/// Why a device was chosen.
#[derive(Debug, Clone, PartialEq)]
pub enum Why {
    /// It was asked for.
    Asked,
    /// It is a real GPU, which is the fastest kind.
    Fastest,
    /// The model is so small that the CPU answers sooner than a GPU is set up.
    SmallModel,
    /// No GPU could be used, and this is why.
    NoGpu(BackendError),
    /// The GPU was lost twice in a short time, or could not be set up again.
    Lost,
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
}

impl DeviceOptions {
    /// Sets up the device that is wanted, with what was measured for it where it is a GPU.
    ///
    /// # Errors
    /// This machine cannot run it.
    pub async fn open(&self) -> Result<Chosen, BackendError> {
        match self.backend {
            BackendName::Cpu => self.cpu(Why::Asked),
            BackendName::Plain => plain(),
            BackendName::Wgpu => self.gpu(Why::Asked).await,
            BackendName::Auto if self.adapter.is_some() => self.gpu(Why::Asked).await,
            BackendName::Auto if self.is_small => self.cpu(Why::SmallModel),
            BackendName::Auto => match self.gpu(Why::Fastest).await {
                Ok(chosen) => Ok(chosen),
                Err(reason) => {
                    let notice = Notice::OnCpu { reason: reason.clone() };
                    let chosen = self.cpu(Why::NoGpu(reason))?;
                    Ok(Chosen { notices: vec![notice], ..chosen })
                }
            },
        }
    }

    /// Sets up once more the GPU that was lost, for the reason that it was chosen for.
    ///
    /// # Errors
    /// It cannot be set up any more.
    pub(crate) async fn reopen(&self, why: &Why) -> Result<Chosen, BackendError> {
        self.gpu(why.clone()).await
    }

    /// The CPU with the threads that are wanted.
    ///
    /// # Errors
    /// The system has no room for the threads.
    pub(crate) fn cpu(&self, why: Why) -> Result<Chosen, BackendError> {
        let cpu = CpuBackend::threaded(self.n_threads)?;
        let cpu = match self.pause {
            Some(pause) => cpu.pausing(pause),
            None => cpu,
        };
        Ok(Chosen { backend: cpu.into(), why, notices: Vec::new() })
    }

    #[cfg(feature = "wgpu")]
    async fn gpu(&self, why: Why) -> Result<Chosen, BackendError> {
        let gpu = self.open_gpu().await?;
        #[cfg(not(target_family = "wasm"))]
        let notices = crate::tuned::apply(&gpu).into_iter().collect();
        #[cfg(target_family = "wasm")]
        let notices = Vec::new();
        Ok(Chosen { backend: gpu.into(), why, notices })
    }

    #[cfg(not(feature = "wgpu"))]
    async fn gpu(&self, _: Why) -> Result<Chosen, BackendError> {
        let reason = "this build computes on the CPU alone: use one with the feature `wgpu`".to_owned();
        Err(BackendError::Unavailable { backend: "wgpu", reason })
    }

    /// The GPU that is wanted, with the kernels of its own table.
    #[cfg(feature = "wgpu")]
    pub(crate) async fn open_gpu(&self) -> Result<WgpuBackend, BackendError> {
        let adapter = match (&self.adapter, self.backend) {
            (Some(name), _) => AdapterChoice::Named(name.clone()),
            (None, BackendName::Auto) => AdapterChoice::Real,
            (None, _) => AdapterChoice::Best,
        };
        if self.subgroups {
            WgpuBackend::with_subgroups(&adapter).await
        } else {
            WgpuBackend::new(&adapter).await
        }
    }
}

/// The plain loops.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
fn plain() -> Result<Chosen, BackendError> {
    Ok(Chosen { backend: CpuBackend::plain().into(), why: Why::Asked, notices: Vec::new() })
}

/// A browser's module has none.
///
/// # Errors
/// Always.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
fn plain() -> Result<Chosen, BackendError> {
    let reason = "a browser's module is built without the plain loops: use cpu".to_owned();
    Err(BackendError::Unavailable { backend: "plain", reason })
}
