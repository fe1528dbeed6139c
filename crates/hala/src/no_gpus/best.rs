//! The GPU that there is, of which nothing is known.

use hala_model::{Options, WeightFormat};
use hala_plan::BackendError;
use hala_weights::Checkpoint;

use super::taken::Taken;
use crate::any_backend::AnyBackend;
use crate::device::{Chosen, DeviceOptions};
use crate::event::Listener;
use crate::why::Why;

/// What tells models apart for a GPU: nothing is remembered of any.
#[derive(Debug)]
pub(crate) enum ModelClass {}

impl ModelClass {
    pub(crate) fn of(_: &Checkpoint, _: WeightFormat, _: Options) -> Option<Self> {
        None
    }
}

/// The GPU that there is, else the CPU.
pub(crate) async fn best(
    options: &DeviceOptions,
    _: Option<&ModelClass>,
    _: &mut dyn Listener,
) -> Result<Chosen, BackendError> {
    match asked(options, Why::Fastest).await {
        Ok(chosen) => Ok(chosen),
        Err(reason) => options.cpu_instead(Why::NoGpu(reason)),
    }
}

/// The GPU that there is.
#[cfg(feature = "wgpu")]
pub(crate) async fn asked(options: &DeviceOptions, why: Why) -> Result<Chosen, BackendError> {
    use hala_backend_wgpu::{AdapterChoice, WgpuBackend};

    let choice = match &options.adapter {
        Some(name) => AdapterChoice::Named(name.clone()),
        None if why == Why::Fastest => AdapterChoice::Real,
        None => AdapterChoice::Best,
    };
    let gpu = match options.subgroups {
        true => WgpuBackend::with_subgroups(&choice).await,
        false => WgpuBackend::new(&choice).await,
    };
    Ok(Chosen::new(gpu?.into(), why))
}

/// There is none.
///
/// # Errors
/// Always.
#[cfg(not(feature = "wgpu"))]
pub(crate) async fn asked(_: &DeviceOptions, _: Why) -> Result<Chosen, BackendError> {
    let reason = "this build computes on the CPU alone: use one with the feature `wgpu`".to_owned();
    Err(BackendError::Unavailable { backend: "wgpu", reason })
}

pub(crate) async fn reopen(_: &DeviceOptions, taken: &Taken) -> Result<AnyBackend, BackendError> {
    match *taken {}
}
