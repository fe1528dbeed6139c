//! `attention`: a workgroup for each query head of each token.

use hala_plan::ops::attention::{Args, Params};
use hala_plan::{BackendError, Step};

use super::Context;
use crate::choose::cache_name;
use crate::dispatch::{Call, Placement, Tokens, whole};
use crate::memory::stride;

/// The largest head that the kernel holds.
const MAX_HEAD: u32 = 256;

impl Context<'_> {
    pub(super) fn attention(&self, step: &Step, params: &Params) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step, params);
        if params.head_size > MAX_HEAD || !params.head_size.is_multiple_of(2) {
            return Err(self.buffers.misplaced(args.q));
        }
        let row = stride(self.buffers.n_columns(args.q)) as u32;
        Ok(vec![Call {
            variant: format!("attention.{}", cache_name(self.buffers.plan.buffer(args.keys).dtype)),
            params: bytemuck::bytes_of(params).to_vec(),
            placement: Placement { x_quads: row / 4, y_stride: row, ..Placement::default() },
            buffers: vec![
                whole("q", self.buffers.get(args.q)?),
                whole("keys", self.buffers.get(args.keys)?),
                whole("values", self.buffers.get(args.values)?),
                whole("y", self.buffers.get(args.y)?),
            ],
            n_groups: params.n_heads,
            tokens: Tokens::Each(1),
        }])
    }
}
