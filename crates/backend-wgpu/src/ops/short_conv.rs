//! `short_conv`: one call for one token, with a norm, LFM2's taps and no biases.
//!
//! A Plan for more tokens has the product apart even where each is another sequence's: it may be given several of one, and its kernels
//! read the matrix once for them all.

use hala_plan::ops::short_conv::{Args, NAME, Params};
use hala_plan::{Axis, BackendError, Kernel, Step};

use super::{Asked, Context, Kernels};
use crate::choose::{Question, weight_name};
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

/// Taps that the kernels are made for.
const FUSED_TAPS: u32 = hala_shaders::constant("short_conv.f32.lanes", "FUSED_TAPS");

impl Kernels for Params {
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), self);
        let in_proj = context.buffers.weight(args.in_proj)?;
        let (part, dtype) = match (&in_proj.parts[..], weight_name(in_proj.dtype)) {
            ([part], Some(dtype)) if context.n_tokens() == 1 && is_usual(self) => (part, dtype),
            _ => return Err(context.buffers.misplaced(args.in_proj)),
        };
        let n_in = self.width as usize;
        let layout = context.layout(Question {
            op: NAME,
            is_normed: false,
            n_matrices: 1,
            dtype: in_proj.dtype,
            n_tokens: 1,
            n_in,
            n_out: 3 * n_in,
        });
        let kernel = kernel(&format!("short_conv.{dtype}.{}", layout.name()))?;
        let call = Call {
            kernel,
            params: bytemuck::bytes_of(self).to_vec(),
            placement: Placement {
                row_blocks: in_proj.row_blocks as u32,
                scales: [part.scales as u32, 0, 0],
                row_scales: in_proj.row_scales as u32,
                scale_shift: in_proj.scale_shift,
                x_quads: (stride(n_in) / 4) as u32,
                y_stride: stride(n_in) as u32,
                ..Placement::default()
            },
            buffers: vec![
                whole("taps", context.buffers.get(args.taps)?),
                whole("y", context.buffers.get(args.y)?),
                whole("w0", part.buffer.clone()),
            ],
            states: vec![context.buffers.state(args.state)?],
            n_groups: layout.n_groups(kernel, &[self.width])?,
            tokens: Tokens::Spans,
            axis: Axis::Rows,
        };
        context.windowed(call, layout, args.x, args.norm)
    }

    fn kernel(&self, asked: &Asked<'_>) -> Option<Kernel> {
        let args = Args::of(asked.io(), self);
        let is_there = asked.n_tokens() == 1 && is_usual(self) && asked.is_whole(args.in_proj);
        is_there.then(Kernel::default)
    }
}

/// Whether the kernels are made for it.
fn is_usual(params: &Params) -> bool {
    params.bias == 0 && params.norm == 1 && params.n_taps == FUSED_TAPS
}
