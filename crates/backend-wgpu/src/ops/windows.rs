//! How a product reads its activations: whole, or through windows of a few rows.

use hala_plan::ops::matmul::Norm;
use hala_plan::{BackendError, BufferId};

use super::Context;
use crate::choose::Layout;
use crate::dispatch::{Bound, Call, whole};
use crate::grid::Tokens;
use crate::padding::stride;

/// The windows of eight tokens, two rows in each, and of four the first two of them.
const WINDOWS: [&str; 4] = ["x0", "x1", "x2", "x3"];

/// Rows of a window of more than one.
const ROWS: usize = 2;

impl Context<'_> {
    /// The calls of a product over the activations `x`: one, or one for each four or eight tokens behind one that norms them.
    pub(super) fn windowed(
        &self,
        mut call: Call,
        layout: Layout,
        x: BufferId,
        norm: Option<Norm>,
    ) -> Result<Vec<Call>, BackendError> {
        let mut buffer = self.buffers.get(x)?;
        let mut calls = Vec::new();
        if let Some(norm) = norm {
            if layout.holds_norm() {
                let weight = self.buffers.get(norm.weight)?;
                let window = (layout == Layout::Rows1).then_some(0);
                call.buffers.push(Bound { name: "norm", buffer: weight, window });
            } else {
                let (normed, room) = self.normed(x, norm)?;
                calls.push(normed);
                buffer = room;
            }
        }
        let row_bytes = 4 * stride(self.buffers.n_columns(x)) as u64;
        let window =
            |name, row: usize| Bound { name, buffer: buffer.clone(), window: Some(row as u64 * row_bytes) };
        let n_windows = match layout {
            Layout::Lanes | Layout::LanesSub | Layout::Tile32 | Layout::Tile64 => {
                call.buffers.push(whole("x", buffer));
                calls.push(call);
                return Ok(calls);
            }
            Layout::Rows1 => {
                call.buffers.push(window("x0", 0));
                calls.push(call);
                return Ok(calls);
            }
            Layout::Rows4 => 2,
            Layout::Rows8 => WINDOWS.len(),
        };
        calls.extend((0..self.buffers.rows(x).1).step_by(ROWS * n_windows).map(|first| {
            let mut call = call.clone();
            call.placement.first_token = first as u32;
            call.tokens = Tokens::Past(first as u32);
            let windows = WINDOWS[..n_windows].iter().enumerate();
            call.buffers.extend(windows.map(|(i, name)| window(*name, first + ROWS * i)));
            call
        }));
        Ok(calls)
    }
}
