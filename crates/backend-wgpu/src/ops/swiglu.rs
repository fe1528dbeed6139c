//! `swiglu`: one call, of matrices that have one type and one part each.

use hala_plan::ops::swiglu::{Args, NAME, Params};
use hala_plan::{BackendError, Kernel, Step};

use super::{Asked, Context, Kernels};
use crate::choose::{Layout, Question, weight_name};
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::{kernel, number};
use crate::padding::stride;
use crate::placement::Placement;

impl Kernels for Params {
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), self);
        let (w1, w3) = (context.buffers.weight(args.w1)?, context.buffers.weight(args.w3)?);
        let ([gates], [values]) = (&w1.parts[..], &w3.parts[..]) else {
            return Err(context.buffers.misplaced(args.w1));
        };
        if w1.dtype != w3.dtype {
            return Err(context.buffers.misplaced(args.w3));
        }
        let (axis, n_tokens) = context.buffers.rows(args.x);
        let layout = context.layout(Question {
            op: NAME,
            is_normed: self.norm == 1,
            n_matrices: 1,
            dtype: w1.dtype,
            n_tokens,
            n_in: self.n_in as usize,
            n_out: self.n_out as usize,
        });
        let normed = if self.norm == 1 && layout == Layout::Rows1 { ".norm" } else { "" };
        let dtype = weight_name(w1.dtype).ok_or_else(|| context.buffers.misplaced(args.w1))?;
        let placement = Placement {
            row_blocks: w1.row_blocks as u32,
            scales: [gates.scales as u32, values.scales as u32, 0],
            row_scales: w1.row_scales as u32,
            scale_shift: w1.scale_shift,
            x_quads: (stride(self.n_in as usize) / 4) as u32,
            y_stride: stride(self.n_out as usize) as u32,
            ..Placement::default()
        };
        let kernel = kernel(&format!("swiglu.{dtype}.{}{normed}", layout.name()))?;
        let call = Call {
            kernel,
            params: bytemuck::bytes_of(self).to_vec(),
            placement,
            buffers: vec![
                whole("w0", gates.buffer.clone()),
                whole("w1", values.buffer.clone()),
                whole("y", context.buffers.get(args.y)?),
            ],
            states: Vec::new(),
            n_groups: layout.n_groups(kernel, &[self.n_out])?,
            tokens: Tokens::Each(number(kernel, "TOKENS")?),
            axis,
        };
        context.windowed(call, layout, args.x, args.norm)
    }

    fn kernel(&self, asked: &Asked<'_>) -> Option<Kernel> {
        let args = Args::of(asked.io(), self);
        let [gates, values] = [args.w1, args.w3].map(|id| asked.buffer(id).dtype);
        let is_one = gates == values && asked.is_whole(args.w1) && asked.is_whole(args.w3);
        let question = Question { op: NAME, ..asked.question(args.x, &[args.w1]) };
        (is_one && (args.norm.is_none() || asked.holds_norm(&question))).then(Kernel::default)
    }
}
