//! A Plan made ready, as the engine keeps it and lends it.

use hala_model::PlanShape;
use hala_plan::BufferId;

/// A Plan made ready, with what its runs need to know of it.
#[derive(Debug)]
pub(crate) struct Ready<P> {
    pub(crate) prepared: P,
    pub(crate) shape: PlanShape,
    /// Steps before the first that only logits need.
    pub(crate) n_body: usize,
    /// `None` where they stay on the device.
    pub(crate) logits: Option<BufferId>,
}
