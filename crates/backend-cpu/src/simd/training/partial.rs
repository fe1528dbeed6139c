//! Sums over rows: each block of rows by itself, and then the blocks in their order.

use std::ops::Range;

use crate::shared::Shared;
use crate::simd::Machine;
use crate::simd::isa::{Isa, Work};

/// Rows of a block.
pub(super) const BLOCK: usize = 32;

/// The blocks of so many rows.
pub(super) fn n_blocks(n_rows: usize) -> usize {
    n_rows.div_ceil(BLOCK)
}

/// Columns that one thread adds up at a time.
const PIECE: usize = 256;

/// Zeroed sums of `n_columns` for each block of rows.
pub(super) fn zeroed(sums: &mut Vec<f32>, n_rows: usize, n_columns: usize) -> &mut [f32] {
    sums.clear();
    sums.resize(n_blocks(n_rows) * n_columns, 0.0);
    sums
}

/// `to += Σ blocks`, of `columns` of blocks that have `stride`.
pub(super) fn add(machine: &Machine, (sums, stride): (&[f32], usize), first: usize, to: &mut [f32]) {
    let n = to.len();
    let to = Shared::new(to);
    machine.pool.share(&mut vec![(); machine.pool.n_threads()], n, PIECE, |(), columns| {
        // SAFETY: each column is given to one thread.
        let to = unsafe { to.part(columns.clone()) };
        machine.level.run(Columns { sums, stride, columns: first + columns.start..first + columns.end, to });
    });
}

/// Some columns.
struct Columns<'a> {
    sums: &'a [f32],
    stride: usize,
    columns: Range<usize>,
    to: &'a mut [f32],
}

impl Work for Columns<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        for block in self.sums.chunks_exact(self.stride) {
            for (to, sum) in self.to.iter_mut().zip(&block[self.columns.clone()]) {
                *to += sum;
            }
        }
    }
}
