//! Which GPU `auto` takes, and what is told of one that was asked for.

use hala_backend_wgpu::{AdapterChoice, WgpuBackend};
use hala_plan::BackendError;

use super::ledger::Ledger;
use super::model_class::ModelClass;
use super::search::{Left, take_best};
use super::taken::{Taken, Wanted, faulty};
use crate::any_backend::AnyBackend;
use crate::device::{Chosen, DeviceOptions, LooksAt};
use crate::event::{Listener, Notice};
use crate::tuned;
use crate::why::Why;

/// The best GPU that is not left alone, else the CPU.
///
/// # Errors
/// Not even the CPU can be used.
pub(crate) async fn best(
    options: &DeviceOptions,
    model: Option<&ModelClass>,
    listener: &mut dyn Listener,
) -> Result<Chosen, BackendError> {
    let folder = options.folder.as_deref();
    let is_software_welcome = options.looks_at == LooksAt::All;
    match take_best(Wanted { folder, is_software_welcome, model }, listener).await {
        Ok((backend, taken)) => {
            let tuned = backend.as_wgpu().and_then(|gpu| tuned::apply(gpu, folder));
            let notices = tuned.into_iter().collect();
            Ok(Chosen { notices, taken: Some(taken), ..Chosen::new(backend, Why::Fastest) })
        }
        Err(Some(Left { device, unfit })) => options.cpu_instead(Why::Unfit { device, unfit }),
        Err(None) => options.cpu_instead(Why::NoGpu(hala_backend_wgpu::no_adapter())),
    }
}

/// The GPU that was asked for, whatever is known of it, which is told.
///
/// # Errors
/// There is none, or it cannot be set up.
pub(crate) async fn asked(options: &DeviceOptions, why: Why) -> Result<Chosen, BackendError> {
    let choice = match &options.adapter {
        Some(name) => AdapterChoice::Named(name.clone()),
        None => AdapterChoice::Best,
    };
    let gpu = WgpuBackend::new(&choice).await?;
    let folder = options.folder.as_deref();
    let ledger = Ledger::new(gpu.origin(), folder);
    let unfit = faulty(gpu.report(), true).or_else(|| ledger.read().unfit);
    let told = unfit.map(|unfit| Notice::AskedFor { device: ledger.device().to_owned(), unfit });
    let notices = tuned::apply(&gpu, folder).into_iter().chain(told).collect();
    Ok(Chosen { notices, ..Chosen::new(gpu.into(), why) })
}

/// Sets the GPU that `auto` took up once more, as after a loss.
///
/// # Errors
/// It cannot be set up any more.
pub(crate) async fn reopen(options: &DeviceOptions, taken: &Taken) -> Result<AnyBackend, BackendError> {
    let gpu = taken.reopen().await?;
    // What is of no use was told before.
    let _ = tuned::apply(&gpu, options.folder.as_deref());
    Ok(gpu.into())
}
