//! `gather`: a thread for each quad of each row that is wanted.

use hala_plan::ops::gather::{Args, Params};
use hala_plan::{Axis, BackendError, Step};

use super::Context;
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

impl Context<'_> {
    pub(super) fn gather(&self, step: &Step, params: &Params) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io());
        let kernel = kernel("gather")?;
        Ok(vec![Call {
            kernel,
            params: bytemuck::bytes_of(params).to_vec(),
            placement: Placement {
                x_quads: (stride(params.width as usize) / 4) as u32,
                ..Placement::default()
            },
            buffers: vec![whole("x", self.buffers.get(args.x)?), whole("y", self.buffers.get(args.y)?)],
            states: Vec::new(),
            n_groups: params.width.div_ceil(4).div_ceil(kernel.workgroup_size[0]),
            tokens: Tokens::Each(1),
            axis: Axis::Wanted,
        }])
    }
}
