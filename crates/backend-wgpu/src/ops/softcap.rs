//! `softcap`: a thread for each element.

use hala_plan::ops::softcap::{Args, Params};
use hala_plan::{BackendError, Step};

use super::Context;
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

impl Context<'_> {
    pub(super) fn softcap(&self, step: &Step, params: &Params) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), params);
        let kernel = kernel("softcap")?;
        Ok(vec![Call {
            kernel,
            params: bytemuck::bytes_of(params).to_vec(),
            placement: Placement {
                y_stride: stride(params.n_columns as usize) as u32,
                ..Placement::default()
            },
            buffers: vec![whole("x", self.buffers.get(args.x)?)],
            n_groups: params.n_columns.div_ceil(kernel.workgroup_size[0]),
            states: Vec::new(),
            tokens: Tokens::Each(1),
            axis: self.buffers.rows(args.x).0,
        }])
    }
}
