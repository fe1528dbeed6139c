//! `concat`: a thread for each element.

use hala_plan::ops::concat::{Args, Params};
use hala_plan::{BackendError, Step};

use super::{Context, Kernels};
use crate::dispatch::Call;

impl Kernels for Params {
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError> {
        let Args { parts, y } = Args::of(step.io());
        let parts: Vec<_> = ["a", "b", "c"].into_iter().zip(parts.iter().copied()).collect();
        context.elementwise(self, &parts, ("y", y))
    }
}
