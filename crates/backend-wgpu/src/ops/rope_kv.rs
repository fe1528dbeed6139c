//! `rope_kv`: a workgroup for each head of each token.

use hala_plan::ops::rope_kv::{Args, Params};
use hala_plan::{Axis, BackendError, Step};

use super::Context;
use crate::choose::cache_name;
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

impl Context<'_> {
    pub(super) fn rope_kv(&self, step: &Step, params: &Params) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), params);
        let get = |id| self.buffers.get(id);
        let mut buffers = vec![whole("qkv", get(args.qkv)?), whole("q", get(args.q)?)];
        if let Some(norms) = args.norms {
            buffers.extend([whole("q_norm", get(norms.q)?), whole("k_norm", get(norms.k)?)]);
        }
        if let Some(turn) = args.turn {
            buffers.push(whole("rope", get(turn.table)?));
        }
        Ok(vec![Call {
            kernel: kernel(&format!("rope_kv.{}", cache_name(self.buffers.plan.buffer(args.keys).dtype)))?,
            params: bytemuck::bytes_of(params).to_vec(),
            placement: Placement {
                x_quads: (stride(self.buffers.n_columns(args.qkv)) / 4) as u32,
                y_stride: stride(self.buffers.n_columns(args.q)) as u32,
                ..Placement::default()
            },
            buffers,
            n_groups: params.n_heads + 2 * params.n_kv_heads,
            states: vec![self.buffers.state(args.keys)?, self.buffers.state(args.values)?],
            tokens: Tokens::Each(1),
            axis: Axis::Rows,
        }])
    }
}
