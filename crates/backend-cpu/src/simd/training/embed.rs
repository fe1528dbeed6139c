//! Rows of the embedding, and their gradient.

use std::ops::Range;

use hala_plan::ops::training::embed_backward::Params;

use super::engine::Engine;
use crate::ops::training::forward;
use crate::shared::Shared;
use crate::simd::isa::{Isa, Work};

/// Rows that one thread takes at a time.
const ROWS: usize = 16;

/// Columns that one thread takes at a time.
const COLUMNS: usize = 64;

/// `y[t] = table[ids[t]] · scale`: `table [V, D]`, `y [T, D]`
pub(crate) fn run(
    engine: &mut Engine,
    width: usize,
    scale: f32,
    (ids, table): (&[u32], &[f32]),
    y: &mut [f32],
) {
    let y = Shared::new(y);
    let Engine { machine, scratch, .. } = engine;
    machine.pool.share(&mut scratch.locals, ids.len(), ROWS, |_, rows| {
        // SAFETY: each row is given to one thread.
        let y = unsafe { y.part(rows.start * width..rows.end * width) };
        forward::embed(width, scale, (&ids[rows], table), y);
    });
}

/// `dtable[ids[t]] += scale · dy[t]`, in the order of the rows, shared out by columns: `dy [T, D]`, `dtable [V, D]`
pub(crate) fn backward(engine: &mut Engine, params: &Params, ids: &[u32], dy: &[f32], dtable: &mut [f32]) {
    let dtable = Shared::new(dtable);
    let Engine { machine, scratch, .. } = engine;
    machine.pool.share(&mut scratch.locals, params.width as usize, COLUMNS, |_, columns| {
        machine.level.run(Columns { params, ids, dy, dtable: &dtable, columns });
    });
}

/// Some columns of all rows.
struct Columns<'a> {
    params: &'a Params,
    ids: &'a [u32],
    dy: &'a [f32],
    dtable: &'a Shared<'a, f32>,
    columns: Range<usize>,
}

impl Work for Columns<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let width = self.params.width as usize;
        for (id, dy) in self.ids.iter().zip(self.dy.chunks_exact(width)) {
            let start = *id as usize * width;
            // SAFETY: each column is given to one thread.
            let sums = unsafe { self.dtable.part(start + self.columns.start..start + self.columns.end) };
            for (sum, dy) in sums.iter_mut().zip(&dy[self.columns.clone()]) {
                *sum += self.params.scale * dy;
            }
        }
    }
}
