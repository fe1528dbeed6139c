//! `softcap`: a thread for each element.

use hala_plan::ops::softcap::{Args, Params};
use hala_plan::{BackendError, Step};

use super::{Context, Kernels};
use crate::dispatch::Call;

impl Kernels for Params {
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError> {
        let Args { x, .. } = Args::of(step.io(), self);
        context.elementwise(self, &[], ("x", x))
    }
}
