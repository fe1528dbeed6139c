//! `gather`: a thread for each quad of each row that is wanted.

use hala_plan::ops::gather::{Args, Params};
use hala_plan::{Axis, BackendError, Step};

use super::{Context, Kernels};
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

impl Kernels for Params {
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io());
        let kernel = kernel("gather")?;
        Ok(vec![Call {
            kernel,
            params: bytemuck::bytes_of(self).to_vec(),
            placement: Placement {
                x_quads: (stride(self.width as usize) / 4) as u32,
                ..Placement::default()
            },
            buffers: vec![whole("x", context.buffers.get(args.x)?), whole("y", context.buffers.get(args.y)?)],
            states: Vec::new(),
            n_groups: self.width.div_ceil(4).div_ceil(kernel.workgroup_size[0]),
            tokens: Tokens::Each(1),
            axis: Axis::Wanted,
        }])
    }
}
