//! What one of the backends made: weights, states and prepared Plans.

use hala_backend_cpu as cpu;
#[cfg(feature = "wgpu")]
use hala_backend_wgpu as wgpu;
use hala_plan::BackendError;

/// Stands for what GPUs make in a build that has none: there is no such value.
#[cfg(not(feature = "wgpu"))]
mod wgpu {
    pub(super) use std::convert::Infallible as Weight;
    pub(super) use std::convert::Infallible as States;
    pub(super) use std::convert::Infallible as Prepared;
}

/// A thing of the CPU's, `C`, or of a GPU's, `G`. It is of use to the backend that made it alone.
#[derive(Debug, Clone)]
pub enum Handle<C, G> {
    /// Made by the CPU's backend.
    Cpu(C),
    /// Made by a GPU's backend.
    Wgpu(G),
}

/// A weight on whichever device.
pub type AnyWeight = Handle<cpu::Weight, wgpu::Weight>;

/// A pool of states on whichever device.
pub type AnyStates = Handle<cpu::States, wgpu::States>;

/// A Plan made ready for whichever device.
pub type AnyPrepared = Handle<cpu::Prepared, wgpu::Prepared>;

impl<C, G> Handle<C, G> {
    /// The CPU's; `what` is for messages.
    ///
    /// # Errors
    /// A GPU made it.
    pub fn cpu(&self, what: &'static str) -> Result<&C, BackendError> {
        match self {
            Self::Cpu(handle) => Ok(handle),
            Self::Wgpu(_) => Err(of_another(what, "cpu")),
        }
    }

    /// The same, to be changed.
    ///
    /// # Errors
    /// A GPU made it.
    pub fn cpu_mut(&mut self, what: &'static str) -> Result<&mut C, BackendError> {
        match self {
            Self::Cpu(handle) => Ok(handle),
            Self::Wgpu(_) => Err(of_another(what, "cpu")),
        }
    }

    /// The GPU's; `what` is for messages.
    ///
    /// # Errors
    /// The CPU made it.
    pub fn wgpu(&self, what: &'static str) -> Result<&G, BackendError> {
        match self {
            Self::Wgpu(handle) => Ok(handle),
            Self::Cpu(_) => Err(of_another(what, "wgpu")),
        }
    }

    /// The same, to be changed.
    ///
    /// # Errors
    /// The CPU made it.
    pub fn wgpu_mut(&mut self, what: &'static str) -> Result<&mut G, BackendError> {
        match self {
            Self::Wgpu(handle) => Ok(handle),
            Self::Cpu(_) => Err(of_another(what, "wgpu")),
        }
    }
}

fn of_another(what: &'static str, backend: &'static str) -> BackendError {
    BackendError::OfAnother { what, backend }
}
