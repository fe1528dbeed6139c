//! `add`: a thread for each element.

use hala_plan::ops::add::{Args, Params};
use hala_plan::{BackendError, Step};

use super::{Context, Kernels};
use crate::dispatch::Call;

impl Kernels for Params {
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError> {
        let Args { a, b, y } = Args::of(step.io());
        context.elementwise(self, &[("a", a), ("b", b)], ("y", y))
    }
}
