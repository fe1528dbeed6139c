//! `rope_kv`: a workgroup for each head of each token.

use hala_plan::ops::rope_kv::{Args, Params};
use hala_plan::{Axis, BackendError, Step};

use super::{Context, Kernels};
use crate::choose::cache_name;
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

impl Kernels for Params {
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), self);
        let get = |id| context.buffers.get(id);
        let mut buffers = vec![whole("qkv", get(args.qkv)?), whole("q", get(args.q)?)];
        if let Some(norms) = args.norms {
            buffers.extend([whole("q_norm", get(norms.q)?), whole("k_norm", get(norms.k)?)]);
        }
        if let Some(turn) = args.turn {
            buffers.push(whole("rope", get(turn.table)?));
        }
        Ok(vec![Call {
            kernel: kernel(&format!("rope_kv.{}", cache_name(context.buffers.plan.buffer(args.keys).dtype)))?,
            params: bytemuck::bytes_of(self).to_vec(),
            placement: Placement {
                x_quads: (stride(context.buffers.n_columns(args.qkv)) / 4) as u32,
                y_stride: stride(context.buffers.n_columns(args.q)) as u32,
                ..Placement::default()
            },
            buffers,
            n_groups: self.n_heads + 2 * self.n_kv_heads,
            states: vec![context.buffers.state(args.keys)?, context.buffers.state(args.values)?],
            tokens: Tokens::Each(1),
            axis: Axis::Rows,
        }])
    }
}
