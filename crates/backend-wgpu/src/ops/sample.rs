//! `sample`: a workgroup for each row, whatever the choice.

use hala_plan::ops::sample::{Args, Params};
use hala_plan::{Axis, BackendError, Step};

use super::Context;
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

impl Context<'_> {
    pub(super) fn sample(&self, step: &Step, params: &Params) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io());
        let Some(choosing) = &self.buffers.memory.choosing else {
            return Err(self.buffers.misplaced(args.logits));
        };
        Ok(vec![Call {
            kernel: kernel("sample")?,
            params: bytemuck::bytes_of(params).to_vec(),
            placement: Placement {
                x_quads: (stride(params.n_vocab as usize) / 4) as u32,
                ..Placement::default()
            },
            buffers: vec![
                whole("logits", self.buffers.get(args.logits)?),
                whole("sets", choosing.sets.clone()),
                whole("ids", self.buffers.get(args.ids)?),
                whole("chosen", choosing.chosen.clone()),
            ],
            n_groups: 1,
            states: Vec::new(),
            tokens: Tokens::Each(1),
            axis: Axis::Rows,
        }])
    }
}
