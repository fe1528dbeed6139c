//! How a product reads its activations: whole, or through windows of a few rows.

use hala_plan::ops::matmul::Norm;
use hala_plan::{BackendError, BufferId};

use super::Context;
use crate::choose::Layout;
use crate::dispatch::{Bound, Call, whole};
use crate::grid::Tokens;
use crate::kernel::{number, windows};
use crate::padding::stride;

impl Context<'_> {
    /// The calls of a product over the activations `x`: one, or one for each few tokens.
    pub(super) fn windowed(
        &self,
        mut call: Call,
        layout: Layout,
        x: BufferId,
        norm: Option<Norm>,
    ) -> Result<Vec<Call>, BackendError> {
        let buffer = self.buffers.get(x)?;
        let mut calls = Vec::new();
        let names = windows(call.kernel);
        if let Some(norm) = norm {
            if !layout.holds_norm() {
                return Err(self.buffers.misplaced(norm.weight));
            }
            let weight = self.buffers.get(norm.weight)?;
            let window = (!names.is_empty()).then_some(0);
            call.buffers.push(Bound { name: "norm", buffer: weight, window });
        }
        if names.is_empty() {
            call.buffers.push(whole("x", buffer));
            calls.push(call);
            return Ok(calls);
        }
        let row_bytes = 4 * stride(self.buffers.n_columns(x)) as u64;
        let window =
            |name, row: usize| Bound { name, buffer: buffer.clone(), window: Some(row as u64 * row_bytes) };
        let n_rows = number(call.kernel, "TOKENS")? as usize;
        let n_each = n_rows / names.len();
        calls.extend((0..self.buffers.rows(x).1).step_by(n_rows).map(|first| {
            let mut call = call.clone();
            call.placement.first_token = first as u32;
            call.tokens = Tokens::Past(first as u32);
            let windows = names.iter().enumerate();
            call.buffers.extend(windows.map(|(i, name)| window(*name, first + n_each * i)));
            call
        }));
        Ok(calls)
    }
}
