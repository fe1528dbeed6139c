//! `concat`: a thread for each element.

use hala_plan::ops::concat::{Args, Params};
use hala_plan::{BackendError, Step};

use super::{Context, Kernels};
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

impl Kernels for Params {
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io());
        let parts = ["a", "b", "c"].into_iter().zip(args.parts);
        let parts = parts.map(|(name, part)| Ok(whole(name, context.buffers.get(*part)?)));
        let mut buffers = parts.collect::<Result<Vec<_>, BackendError>>()?;
        buffers.push(whole("y", context.buffers.get(args.y)?));
        let kernel = kernel("concat")?;
        Ok(vec![Call {
            kernel,
            params: bytemuck::bytes_of(self).to_vec(),
            placement: Placement { y_stride: stride(self.n_total()) as u32, ..Placement::default() },
            buffers,
            n_groups: (self.n_total() as u32).div_ceil(kernel.workgroup_size[0]),
            states: Vec::new(),
            tokens: Tokens::Each(1),
            axis: context.buffers.rows(args.y).0,
        }])
    }
}
