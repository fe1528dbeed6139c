//! Operands of products, packed in the order that kernels read them.

use std::ops::Range;

use crate::simd::isa::{Isa, Work};

/// A matrix in memory: element `(i, j)` is `data[i · row + j · column]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) n_rows: usize,
    pub(crate) n_columns: usize,
    /// Elements from a row to the next.
    pub(crate) row: usize,
    /// Elements from a column to the next.
    pub(crate) column: usize,
}

impl<'a> Matrix<'a> {
    /// Rows one after the other.
    pub(crate) fn rows(data: &'a [f32], n_columns: usize) -> Self {
        Self { data, n_rows: data.len() / n_columns, n_columns, row: n_columns, column: 1 }
    }

    /// Columns of rows that are `row` elements apart.
    pub(crate) fn part(data: &'a [f32], [n_rows, n_columns]: [usize; 2], row: usize) -> Self {
        Self { data, n_rows, n_columns, row, column: 1 }
    }

    /// The same elements with rows for columns.
    pub(crate) fn transposed(self) -> Self {
        let Self { data, n_rows, n_columns, row, column } = self;
        Self { data, n_rows: n_columns, n_columns: n_rows, row: column, column: row }
    }
}

/// Packs some rows of a matrix, for all or some of its columns: `out[step, lane]` for each group of `n_lanes` rows, one after the other; what is past
/// the last row or column is 0.
#[derive(Debug)]
pub(super) struct Pack<'a> {
    /// Lanes are its rows, steps its columns.
    pub(super) matrix: Matrix<'a>,
    pub(super) n_lanes: usize,
    /// Columns of a step.
    pub(super) per_word: usize,
    /// Groups of rows.
    pub(super) groups: Range<usize>,
    pub(super) columns: Range<usize>,
    pub(super) out: &'a mut [u32],
}

/// Words of a group of so many lanes and columns.
pub(super) fn n_words(n_lanes: usize, n_columns: usize, per_word: usize) -> usize {
    n_lanes * n_columns.div_ceil(per_word)
}

impl Work for Pack<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let Self { matrix, n_lanes, per_word, groups, columns, out } = self;
        let size = n_words(n_lanes, columns.len(), per_word);
        for (group, out) in groups.zip(out.chunks_exact_mut(size)) {
            let rows = group * n_lanes..matrix.n_rows.min((group + 1) * n_lanes);
            let part = Part { matrix, rows, columns: columns.clone() };
            match n_lanes {
                // What kernels have, so that loops over lanes are unrolled.
                14 if part.rows.len() == 14 => part.whole::<14>(per_word, out),
                32 if part.rows.len() == 32 => part.whole::<32>(per_word, out),
                6 if part.rows.len() == 6 => part.whole::<6>(per_word, out),
                16 if part.rows.len() == 16 => part.whole::<16>(per_word, out),
                _ => part.any(n_lanes, per_word, out),
            }
        }
    }
}

/// Steps that are packed together where a matrix's steps lie side by side: they are turned in the first-level cache.
const N_STEPS: usize = 16;

/// Lanes that are packed together where they lie side by side: a vector of the widest kind.
const N_LANES: usize = 16;

/// One group of rows.
struct Part<'a> {
    matrix: Matrix<'a>,
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Part<'_> {
    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> f32 {
        self.matrix.data[row * self.matrix.row + column * self.matrix.column]
    }

    /// A word of a lane, the columns past the last one 0.
    #[inline(always)]
    fn word(&self, row: usize, column: usize, per_word: usize) -> u32 {
        if per_word == 1 {
            return self.at(row, column).to_bits();
        }
        let is_pair = column + 1 < self.columns.end;
        bf16(self.at(row, column)) | if is_pair { bf16(self.at(row, column + 1)) << 16 } else { 0 }
    }

    /// Packs a group word by word.
    #[inline(always)]
    fn any(&self, n_lanes: usize, per_word: usize, out: &mut [u32]) {
        for (step, out) in out.chunks_exact_mut(n_lanes).enumerate() {
            let column = self.columns.start + step * per_word;
            out.fill(0);
            for (out, row) in out.iter_mut().zip(self.rows.clone()) {
                *out = self.word(row, column, per_word);
            }
        }
    }

    /// Packs a group of `L` rows.
    #[inline(always)]
    fn whole<const L: usize>(&self, per_word: usize, out: &mut [u32]) {
        let out = out.as_chunks_mut::<L>().0;
        let n_whole = self.columns.len() / per_word;
        match (per_word, self.matrix.row, self.matrix.column) {
            (1, 1, _) => self.lanes::<L, 1>(&mut out[..n_whole]),
            (2, 1, _) => self.lanes::<L, 2>(&mut out[..n_whole]),
            (1, _, 1) => self.steps::<L, 1>(&mut out[..n_whole]),
            (2, _, 1) => self.steps::<L, 2>(&mut out[..n_whole]),
            _ => return self.any(L, per_word, out.as_flattened_mut()),
        }
        for (step, out) in out.iter_mut().enumerate().skip(n_whole) {
            for (out, row) in out.iter_mut().zip(self.rows.clone()) {
                *out = self.word(row, self.columns.start + step * per_word, per_word);
            }
        }
    }

    /// Lanes lie side by side in memory: they are read a vector at a time, whatever comes behind the last one.
    #[inline(always)]
    fn lanes<const L: usize, const PER_WORD: usize>(&self, out: &mut [[u32; L]]) {
        let data = self.matrix.data;
        for (step, out) in out.iter_mut().enumerate() {
            let column = self.columns.start + step * PER_WORD;
            for (first, out) in (0..L).step_by(N_LANES).zip(out.chunks_mut(N_LANES)) {
                let row = self.rows.start + first;
                let at = |column: usize| data[row + column * self.matrix.column..].first_chunk::<N_LANES>();
                let (Some(low), Some(high)) = (at(column), at(column + PER_WORD - 1)) else {
                    for (out, row) in out.iter_mut().zip(row..) {
                        *out = self.word(row, column, PER_WORD);
                    }
                    continue;
                };
                let mut words = [0u32; N_LANES];
                for (word, (low, high)) in words.iter_mut().zip(low.iter().zip(high)) {
                    *word = if PER_WORD == 1 { low.to_bits() } else { bf16(*low) | bf16(*high) << 16 };
                }
                out.copy_from_slice(&words[..out.len()]);
            }
        }
    }

    /// Steps lie side by side in memory.
    #[inline(always)]
    fn steps<const L: usize, const PER_WORD: usize>(&self, out: &mut [[u32; L]]) {
        let mut block = [[0u32; N_STEPS]; L];
        let mut column = self.columns.start;
        for out in out.chunks_mut(N_STEPS) {
            for (row, words) in self.rows.clone().zip(&mut block) {
                let x = &self.matrix.data[row * self.matrix.row + column..];
                if PER_WORD == 1 {
                    let Some(x) = x.first_chunk::<N_STEPS>().filter(|_| out.len() == N_STEPS) else {
                        words.iter_mut().zip(&x[..out.len()]).for_each(|(word, x)| *word = x.to_bits());
                        continue;
                    };
                    *words = x.map(f32::to_bits);
                    continue;
                }
                let pairs = x[..out.len() * 2].as_chunks::<2>().0;
                let Some(pairs) = pairs.first_chunk::<N_STEPS>() else {
                    words
                        .iter_mut()
                        .zip(pairs)
                        .for_each(|(w, [low, high])| *w = bf16(*low) | bf16(*high) << 16);
                    continue;
                };
                for (word, [low, high]) in words.iter_mut().zip(pairs) {
                    *word = bf16(*low) | bf16(*high) << 16;
                }
            }
            for (step, out) in out.iter_mut().enumerate() {
                for (out, words) in out.iter_mut().zip(&block) {
                    *out = words[step];
                }
            }
            column += N_STEPS * PER_WORD;
        }
    }
}

/// The nearest bf16, ties to even, in the lower half of a word.
#[inline(always)]
fn bf16(x: f32) -> u32 {
    let bits = x.to_bits();
    let rounded = (bits.wrapping_add(0x7fff + (bits >> 16 & 1))) >> 16;
    // Rounding would carry a NaN over into another number.
    if x.is_nan() { 0x7fc0 } else { rounded }
}
