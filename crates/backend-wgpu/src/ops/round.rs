//! `round`: a workgroup for each group of columns of each token.

use hala_plan::ops::round::{Args, Params};
use hala_plan::{BackendError, Step};

use super::{Context, Kernels};
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

impl Kernels for Params {
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), self);
        Ok(vec![Call {
            kernel: kernel("round")?,
            params: bytemuck::bytes_of(self).to_vec(),
            placement: Placement { y_stride: stride(self.n_columns as usize) as u32, ..Placement::default() },
            buffers: vec![whole("x", context.buffers.get(args.x)?), whole("y", context.buffers.get(args.y)?)],
            n_groups: self.n_columns.div_ceil(self.group),
            states: Vec::new(),
            tokens: Tokens::Each(1),
            axis: context.buffers.rows(args.x).0,
        }])
    }
}
