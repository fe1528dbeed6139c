//! The GPU that `auto` takes: the best one that is not left alone.

use hala_backend_wgpu::Origin;

use super::ledger::Ledger;
use super::taken::{Taken, Wanted, begin};
use crate::any_backend::AnyBackend;
use crate::event::Listener;
use crate::unfit::{Stage, Unfit};

/// What messages call all GPUs together.
const ALL: &str = "every GPU";

/// A GPU that was found and is left alone.
#[derive(Debug)]
pub(crate) struct Left {
    /// The GPU.
    pub(crate) device: String,
    /// Why.
    pub(crate) unfit: Unfit,
}

/// Takes the best GPU that is not left alone; else tells of the best one why it is, or nothing where there is none.
///
/// The search itself is guarded too, since it loads all drivers; where it ended in the middle, drivers are not loaded any more.
pub(crate) async fn take_best(
    wanted: Wanted<'_>,
    listener: &mut dyn Listener,
) -> Result<(AnyBackend, Taken), Option<Left>> {
    let found = found(wanted).await.map_err(|unfit| Some(Left { device: ALL.to_owned(), unfit }))?;
    let mut left = None;
    for gpu in found {
        match Taken::take(&gpu, wanted, listener).await {
            Ok(taken) => return Ok(taken),
            Err(unfit) => drop(left.get_or_insert(Left { device: gpu.origin().device, unfit })),
        }
    }
    Err(left)
}

/// The adapters of the machine that come into question.
async fn found(wanted: Wanted<'_>) -> Result<Vec<hala_backend_wgpu::Found>, Unfit> {
    let ledger = ledger(wanted);
    if let Some(unfit) = ledger.unfit_now(None) {
        return Err(unfit);
    }
    let _guard = match begin(&ledger, Stage::Looking) {
        // It takes a moment, so that another program's says nothing.
        Err(Unfit::InTrial) => None,
        begun => begun?,
    };
    let mut found = hala_backend_wgpu::found().await;
    // The best is first. Of programs that play a GPU only one is ever of use, and none where there is a real one.
    let n_real = found.iter().filter(|gpu| !gpu.report.is_software()).count();
    found.truncate(n_real.max(1));
    Ok(found)
}

/// What is remembered of the search.
fn ledger(wanted: Wanted<'_>) -> Ledger {
    let origin =
        Origin { device: ALL.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), ..Origin::default() };
    Ledger::new(origin, wanted.folder)
}
