//! `convolve`: a thread for each channel, which goes along the tokens of each span.

use hala_plan::ops::convolve::{Args, Params};
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
        let mut buffers = vec![
            whole("taps", context.buffers.get(args.taps)?),
            whole("y", context.buffers.get(args.y)?),
            whole("projected", context.buffers.get(args.projected)?),
        ];
        if let Some(bias) = args.bias {
            buffers.push(whole("conv_bias", context.buffers.get(bias)?));
        }
        let kernel = kernel("convolve")?;
        Ok(vec![Call {
            kernel,
            params: bytemuck::bytes_of(self).to_vec(),
            placement: Placement {
                x_quads: (stride(3 * self.width as usize) / 4) as u32,
                y_stride: stride(self.width as usize) as u32,
                ..Placement::default()
            },
            buffers,
            states: vec![context.buffers.state(args.state)?],
            n_groups: self.width.div_ceil(kernel.workgroup_size[0]),
            tokens: Tokens::Spans,
            axis: Axis::Rows,
        }])
    }
}
