//! `gate`: a thread for each element.

use hala_plan::ops::gate::{Args, Params};
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
        let kernel = kernel("gate")?;
        Ok(vec![Call {
            kernel,
            params: bytemuck::bytes_of(self).to_vec(),
            placement: Placement { y_stride: stride(self.n_columns as usize) as u32, ..Placement::default() },
            buffers: vec![
                whole("a", context.buffers.get(args.a)?),
                whole("b", context.buffers.get(args.b)?),
                whole("y", context.buffers.get(args.y)?),
            ],
            n_groups: self.n_columns.div_ceil(kernel.workgroup_size[0]),
            states: Vec::new(),
            tokens: Tokens::Each(1),
            axis: context.buffers.rows(args.y).0,
        }])
    }
}
