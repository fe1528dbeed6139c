//! `round`: a workgroup for each group of columns of each token.

use hala_plan::ops::round::{Args, Params};
use hala_plan::{BackendError, Step};

use super::Context;
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

impl Context<'_> {
    pub(super) fn round(&self, step: &Step, params: &Params) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), params);
        Ok(vec![Call {
            kernel: kernel("round")?,
            params: bytemuck::bytes_of(params).to_vec(),
            placement: Placement {
                y_stride: stride(params.n_columns as usize) as u32,
                ..Placement::default()
            },
            buffers: vec![whole("x", self.buffers.get(args.x)?), whole("y", self.buffers.get(args.y)?)],
            n_groups: params.n_columns.div_ceil(params.group),
            states: Vec::new(),
            tokens: Tokens::Each(1),
            axis: self.buffers.rows(args.x).0,
        }])
    }
}
