//! `embed`: a call for each part of the table, each writing the rows that it has.

use hala_plan::ops::embed::{Args, Params};
use hala_plan::{Axis, BackendError, Step};

use super::{Context, Kernels};
use crate::choose::weight_name;
use crate::dispatch::{Call, whole};
use crate::grid::Tokens;
use crate::kernel::kernel;
use crate::padding::stride;
use crate::placement::Placement;

impl Kernels for Params {
    fn calls(&self, context: &Context<'_>, step: &Step) -> Result<Vec<Call>, BackendError> {
        let args = Args::of(step.io(), self);
        let table = context.buffers.weight(args.table)?;
        let dtype = weight_name(table.dtype).ok_or_else(|| context.buffers.misplaced(args.table))?;
        let kernel = kernel(&format!("embed.{dtype}"))?;
        let call = |part: &crate::weight::Part| -> Result<Call, BackendError> {
            Ok(Call {
                kernel,
                params: bytemuck::bytes_of(self).to_vec(),
                placement: Placement {
                    row_blocks: table.row_blocks as u32,
                    scales: [part.scales as u32, 0, 0],
                    row_scales: table.row_scales as u32,
                    scale_shift: table.scale_shift,
                    x_quads: (stride(self.width as usize) / 4) as u32,
                    first_row: part.first_row as u32,
                    end_row: (part.first_row + part.n_rows) as u32,
                    ..Placement::default()
                },
                buffers: vec![
                    whole("ids", context.buffers.get(args.ids)?),
                    whole("table", part.buffer.clone()),
                    whole("y", context.buffers.get(args.y)?),
                ],
                n_groups: (table.row_blocks as u32).div_ceil(kernel.workgroup_size[0]),
                states: Vec::new(),
                tokens: Tokens::Each(1),
                axis: Axis::Rows,
            })
        };
        table.parts.iter().map(call).collect()
    }
}
