//! Each call passed on to the backend that was chosen.

use std::ops::Range;

use hala_backend_cpu::CpuBackend;
#[cfg(feature = "wgpu")]
use hala_backend_wgpu::WgpuBackend;
use hala_plan::{
    Ahead, Backend, BackendError, BufferId, Candidate, Device, Kernel, Plan, PoolSize, Reading, Rows,
    StatePlaces, StateSpec, Timing,
};
use hala_tensor::{DType, Tensor};

use crate::any_backend::handle::{AnyPrepared, AnyStates, AnyWeight, Handle};

const WEIGHTS: &str = "weights";
const STATES: &str = "states";
const PREPARED: &str = "prepared Plan";

/// Whichever backend was chosen while the program runs. What one of them made is an error to another:
/// [`BackendError::OfAnother`].
#[derive(Debug)]
pub enum AnyBackend {
    /// The CPU.
    Cpu(CpuBackend),
    /// A GPU. (Boxed because a device is large.)
    #[cfg(feature = "wgpu")]
    Wgpu(Box<WgpuBackend>),
}

impl AnyBackend {
    /// Bytes a second that its threads read from memory at most; `None` for GPUs, and where that cannot be measured.
    pub fn read_speed(&self) -> Option<f64> {
        match self {
            Self::Cpu(cpu) => cpu.read_speed(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(_) => None,
        }
    }

    /// What computes products with matrices of a type, for people; `None` for GPUs, whose kernels depend on shapes too.
    pub fn product_kernel(&self, dtype: DType) -> Option<String> {
        match self {
            Self::Cpu(cpu) => Some(cpu.product_kernel(dtype)),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(_) => None,
        }
    }

    /// Threads that compute; 1 for a GPU, which the caller's thread waits for.
    pub fn n_threads(&self) -> usize {
        match self {
            Self::Cpu(cpu) => cpu.n_threads(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(_) => 1,
        }
    }

    /// Whether lanes that run together add up by themselves, as some GPUs' do.
    pub fn has_subgroups(&self) -> bool {
        match self {
            Self::Cpu(_) => false,
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.has_subgroups(),
        }
    }

    /// Ends a GPU's device, as a driver does that is reset: for tests of what happens then. Does nothing on the CPU.
    pub fn destroy(&self) {
        match self {
            Self::Cpu(_) => {}
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.destroy(),
        }
    }

    /// The GPU, where it is one.
    #[cfg(feature = "wgpu")]
    pub fn as_wgpu(&self) -> Option<&WgpuBackend> {
        match self {
            Self::Cpu(_) => None,
            Self::Wgpu(gpu) => Some(gpu),
        }
    }
}

impl From<CpuBackend> for AnyBackend {
    fn from(cpu: CpuBackend) -> Self {
        Self::Cpu(cpu)
    }
}

#[cfg(feature = "wgpu")]
impl From<WgpuBackend> for AnyBackend {
    fn from(gpu: WgpuBackend) -> Self {
        Self::Wgpu(Box::new(gpu))
    }
}

impl Backend for AnyBackend {
    type Weight = AnyWeight;
    type States = AnyStates;
    type Prepared = AnyPrepared;

    fn device(&self) -> &Device {
        match self {
            Self::Cpu(cpu) => cpu.device(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.device(),
        }
    }

    fn decode_sizes(&self) -> &[usize] {
        match self {
            Self::Cpu(cpu) => cpu.decode_sizes(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.decode_sizes(),
        }
    }

    fn prefill_sizes(&self) -> &[usize] {
        match self {
            Self::Cpu(cpu) => cpu.prefill_sizes(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.prefill_sizes(),
        }
    }

    fn prompt_rows(&self) -> usize {
        match self {
            Self::Cpu(cpu) => cpu.prompt_rows(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.prompt_rows(),
        }
    }

    fn cache_dtype(&self) -> DType {
        match self {
            Self::Cpu(cpu) => cpu.cache_dtype(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.cache_dtype(),
        }
    }

    fn n_ahead(&self) -> usize {
        match self {
            Self::Cpu(cpu) => cpu.n_ahead(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.n_ahead(),
        }
    }

    async fn read_places(
        &self,
        states: &AnyStates,
        places: StatePlaces<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.read_places(states.cpu(STATES)?, places, out).await,
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.read_places(states.wgpu(STATES)?, places, out).await,
        }
    }

    fn write_places(
        &self,
        states: &mut AnyStates,
        places: StatePlaces<'_>,
        bytes: &[u8],
    ) -> Result<(), BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.write_places(states.cpu_mut(STATES)?, places, bytes),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.write_places(states.wgpu_mut(STATES)?, places, bytes),
        }
    }

    fn kernel(&self, candidate: &Candidate<'_>) -> Option<Kernel> {
        match self {
            Self::Cpu(cpu) => cpu.kernel(candidate),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.kernel(candidate),
        }
    }

    fn upload(&self, label: &str, tensor: Tensor) -> Result<AnyWeight, BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.upload(label, tensor).map(Handle::Cpu),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.upload(label, tensor).map(Handle::Wgpu),
        }
    }

    async fn settle(&self) -> Result<(), BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.settle().await,
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.settle().await,
        }
    }

    fn allocate(&self, states: &[StateSpec], size: &PoolSize) -> Result<AnyStates, BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.allocate(states, size).map(Handle::Cpu),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.allocate(states, size).map(Handle::Wgpu),
        }
    }

    fn resize(&self, states: &mut AnyStates, size: &PoolSize) -> Result<(), BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.resize(states.cpu_mut(STATES)?, size),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.resize(states.wgpu_mut(STATES)?, size),
        }
    }

    fn copy_slot(&self, states: &mut AnyStates, from: u32, to: u32) -> Result<(), BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.copy_slot(states.cpu_mut(STATES)?, from, to),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.copy_slot(states.wgpu_mut(STATES)?, from, to),
        }
    }

    fn copy_page(&self, states: &mut AnyStates, table: u32, pages: [u32; 2]) -> Result<(), BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.copy_page(states.cpu_mut(STATES)?, table, pages),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.copy_page(states.wgpu_mut(STATES)?, table, pages),
        }
    }

    async fn prepare(&self, plan: &Plan, weights: &[AnyWeight]) -> Result<AnyPrepared, BackendError> {
        match self {
            Self::Cpu(cpu) => {
                let own = weights.iter().map(|weight| weight.cpu(WEIGHTS).cloned());
                let own: Vec<_> = own.collect::<Result<_, _>>()?;
                cpu.prepare(plan, &own).await.map(Handle::Cpu)
            }
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => {
                let own = weights.iter().map(|weight| weight.wgpu(WEIGHTS).cloned());
                let own: Vec<_> = own.collect::<Result<_, _>>()?;
                gpu.prepare(plan, &own).await.map(Handle::Wgpu)
            }
        }
    }

    async fn run_steps(
        &self,
        prepared: &mut AnyPrepared,
        states: &mut AnyStates,
        rows: Rows<'_>,
        steps: Range<usize>,
    ) -> Result<(), BackendError> {
        match self {
            Self::Cpu(cpu) => {
                let (prepared, states) = (prepared.cpu_mut(PREPARED)?, states.cpu_mut(STATES)?);
                cpu.run_steps(prepared, states, rows, steps).await
            }
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => {
                let (prepared, states) = (prepared.wgpu_mut(PREPARED)?, states.wgpu_mut(STATES)?);
                gpu.run_steps(prepared, states, rows, steps).await
            }
        }
    }

    async fn queue(
        &self,
        prepared: &mut AnyPrepared,
        states: &mut AnyStates,
        ahead: Ahead<'_>,
    ) -> Result<(), BackendError> {
        match self {
            Self::Cpu(cpu) => {
                let (prepared, states) = (prepared.cpu_mut(PREPARED)?, states.cpu_mut(STATES)?);
                cpu.queue(prepared, states, ahead).await
            }
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => {
                let (prepared, states) = (prepared.wgpu_mut(PREPARED)?, states.wgpu_mut(STATES)?);
                gpu.queue(prepared, states, ahead).await
            }
        }
    }

    async fn chosen(&self, prepared: &mut AnyPrepared, out: &mut Vec<u32>) -> Result<(), BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.chosen(prepared.cpu_mut(PREPARED)?, out).await,
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.chosen(prepared.wgpu_mut(PREPARED)?, out).await,
        }
    }

    async fn profile(
        &self,
        prepared: &mut AnyPrepared,
        states: &mut AnyStates,
        rows: Rows<'_>,
    ) -> Result<Vec<Timing>, BackendError> {
        match self {
            Self::Cpu(cpu) => {
                let (prepared, states) = (prepared.cpu_mut(PREPARED)?, states.cpu_mut(STATES)?);
                cpu.profile(prepared, states, rows).await
            }
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => {
                let (prepared, states) = (prepared.wgpu_mut(PREPARED)?, states.wgpu_mut(STATES)?);
                gpu.profile(prepared, states, rows).await
            }
        }
    }

    async fn read(
        &self,
        prepared: &AnyPrepared,
        states: &AnyStates,
        reading: Reading,
        out: &mut Vec<f32>,
    ) -> Result<(), BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.read(prepared.cpu(PREPARED)?, states.cpu(STATES)?, reading, out).await,
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => gpu.read(prepared.wgpu(PREPARED)?, states.wgpu(STATES)?, reading, out).await,
        }
    }

    fn write(
        &self,
        prepared: &mut AnyPrepared,
        states: &mut AnyStates,
        buffer: BufferId,
        values: &[f32],
    ) -> Result<(), BackendError> {
        match self {
            Self::Cpu(cpu) => cpu.write(prepared.cpu_mut(PREPARED)?, states.cpu_mut(STATES)?, buffer, values),
            #[cfg(feature = "wgpu")]
            Self::Wgpu(gpu) => {
                gpu.write(prepared.wgpu_mut(PREPARED)?, states.wgpu_mut(STATES)?, buffer, values)
            }
        }
    }
}
