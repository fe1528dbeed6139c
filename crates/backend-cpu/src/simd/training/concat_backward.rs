//! `[da, db, dc] = dy`, shared out by rows.

use hala_plan::ops::training::concat_backward::Params;

use super::engine::Engine;
use crate::ops::training::concat_backward as plain;
use crate::shared::Shared;

/// Rows that one thread takes at a time.
const PIECE: usize = 16;

/// `dy [T, ΣI]`, `parts [T, Iᵢ]`
pub(crate) fn run(engine: &mut Engine, params: &Params, dy: &[f32], parts: &mut [&mut [f32]]) {
    let total: usize = params.n_columns.iter().map(|n| *n as usize).sum();
    let parts: Vec<_> = parts.iter_mut().map(|part| Shared::new(part)).collect();
    let Engine { machine, scratch, .. } = engine;
    machine.pool.share(&mut scratch.locals, dy.len() / total, PIECE, |_, rows| {
        let mut own: Vec<&mut [f32]> = Vec::new();
        for (part, n) in parts.iter().zip(params.n_columns) {
            // SAFETY: each row is given to one thread.
            own.push(unsafe { part.part(rows.start * n as usize..rows.end * n as usize) });
        }
        plain::run(params, &dy[rows.start * total..rows.end * total], &mut own);
    });
}
