//! `sample`: a workgroup for each row, whatever the choice.

use hala_plan::ops::sample::{Args, Params};
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
        let Some(choosing) = &context.buffers.memory.choosing else {
            return Err(context.buffers.misplaced(args.logits));
        };
        Ok(vec![Call {
            kernel: kernel("sample")?,
            params: bytemuck::bytes_of(self).to_vec(),
            placement: Placement {
                x_quads: (stride(self.n_vocab as usize) / 4) as u32,
                ..Placement::default()
            },
            buffers: vec![
                whole("logits", context.buffers.get(args.logits)?),
                whole("sets", choosing.sets.clone()),
                whole("ids", context.buffers.get(args.ids)?),
                whole("chosen", choosing.chosen.clone()),
            ],
            n_groups: 1,
            states: Vec::new(),
            tokens: Tokens::Each(1),
            axis: Axis::Rows,
        }])
    }
}
