//! `norm`: a workgroup for each token.

use hala_plan::ops::norm::{Args, Params};
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
            kernel: kernel("norm")?,
            params: bytemuck::bytes_of(self).to_vec(),
            placement: Placement { y_stride: stride(self.width as usize) as u32, ..Placement::default() },
            buffers: vec![
                whole("x", context.buffers.get(args.x)?),
                whole("norm", context.buffers.get(args.norm.weight)?),
                whole("y", context.buffers.get(args.y)?),
            ],
            n_groups: 1,
            states: Vec::new(),
            tokens: Tokens::Each(1),
            axis: context.buffers.rows(args.x).0,
        }])
    }
}
