//! `norm`: a workgroup for each token.

use hala_plan::ops::norm::{Args, Params};
use hala_plan::{BackendError, Step};

use super::Context;
use crate::dispatch::{Call, Placement, Tokens, whole};
use crate::memory::stride;

impl Context<'_> {
    pub(super) fn norm(&self, step: &Step, params: &Params) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step, params);
        Ok(vec![Call {
            variant: "norm".to_owned(),
            params: bytemuck::bytes_of(params).to_vec(),
            placement: Placement { y_stride: stride(params.width as usize) as u32, ..Placement::default() },
            buffers: vec![
                whole("x", self.buffers.get(args.x)?),
                whole("norm", self.buffers.get(args.norm.weight)?),
                whole("y", self.buffers.get(args.y)?),
            ],
            n_groups: 1,
            tokens: Tokens::Each(1),
        }])
    }
}
