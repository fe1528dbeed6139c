//! How a product reads its activations: whole, or through windows of a few rows.

use hala_plan::{BackendError, BufferId};

use super::Context;
use crate::choose::Layout;
use crate::dispatch::{Bound, Call, Tokens, WINDOW_ROWS, whole};
use crate::memory::stride;

/// The windows of eight tokens: two rows in each.
const WINDOWS: [&str; 4] = ["x0", "x1", "x2", "x3"];

impl Context<'_> {
    /// The calls of a product over the activations `x`: one, or one for each eight tokens.
    pub(super) fn windowed(
        &self,
        mut call: Call,
        layout: Layout,
        x: BufferId,
        norm: Option<BufferId>,
    ) -> Result<Vec<Call>, BackendError> {
        let buffer = self.buffers.get(x)?;
        let row_bytes = 4 * stride(self.buffers.n_columns(x)) as u64;
        let window =
            |name, row: usize| Bound { name, buffer: buffer.clone(), window: Some(row as u64 * row_bytes) };
        if let Some(norm) = norm {
            let buffer = self.buffers.get(norm)?;
            let window = layout.is_windowed().then_some(0);
            call.buffers.push(Bound { name: "norm", buffer, window });
        }
        match layout {
            Layout::Lanes | Layout::LanesSub | Layout::Tile32 | Layout::Tile64 => {
                call.buffers.push(whole("x", buffer));
                Ok(vec![call])
            }
            Layout::Rows1 => {
                call.buffers.push(window("x0", 0));
                Ok(vec![call])
            }
            Layout::Rows8 => {
                let of_tokens = |first: usize| {
                    let mut call = call.clone();
                    call.placement.first_token = first as u32;
                    call.tokens = Tokens::Past(first as u32);
                    let windows = WINDOWS.iter().enumerate();
                    call.buffers.extend(windows.map(|(i, name)| window(*name, first + 2 * i)));
                    call
                };
                Ok((0..self.n_tokens()).step_by(WINDOW_ROWS).map(of_tokens).collect())
            }
        }
    }
}
