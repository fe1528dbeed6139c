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
            if rows.len() < n_lanes || columns.len() % per_word > 0 {
                out.fill(0);
            }
            match (per_word, matrix.row) {
                (1, 1) => lanes_f32(matrix, n_lanes, rows, columns.clone(), out),
                (1, _) => steps_f32(matrix, n_lanes, rows, columns.clone(), out),
                (_, 1) => lanes_bf16(matrix, n_lanes, rows, columns.clone(), out),
                _ => steps_bf16(matrix, n_lanes, rows, columns.clone(), out),
            }
        }
    }
}

/// Lanes lie side by side in memory.
#[inline(always)]
fn lanes_f32(matrix: Matrix<'_>, n_lanes: usize, rows: Range<usize>, columns: Range<usize>, out: &mut [u32]) {
    for (column, out) in columns.zip(out.chunks_exact_mut(n_lanes)) {
        let x = &matrix.data[rows.start + column * matrix.column..][..rows.len()];
        for (out, x) in out.iter_mut().zip(x) {
            *out = x.to_bits();
        }
    }
}

/// Steps lie side by side in memory, or nothing does.
#[inline(always)]
fn steps_f32(matrix: Matrix<'_>, n_lanes: usize, rows: Range<usize>, columns: Range<usize>, out: &mut [u32]) {
    for (lane, row) in rows.enumerate() {
        let start = row * matrix.row + columns.start * matrix.column;
        let x = matrix.data[start..].iter().step_by(matrix.column).take(columns.len());
        for (out, x) in out[lane..].iter_mut().step_by(n_lanes).zip(x) {
            *out = x.to_bits();
        }
    }
}

/// As [`lanes_f32`], two columns a word.
#[inline(always)]
fn lanes_bf16(
    matrix: Matrix<'_>,
    n_lanes: usize,
    rows: Range<usize>,
    columns: Range<usize>,
    out: &mut [u32],
) {
    for (step, out) in out.chunks_exact_mut(n_lanes).enumerate() {
        let column = columns.start + 2 * step;
        let at = |column: usize| &matrix.data[rows.start + column * matrix.column..][..rows.len()];
        if column + 1 < columns.end {
            for (out, (low, high)) in out.iter_mut().zip(at(column).iter().zip(at(column + 1))) {
                *out = bf16(*low) | bf16(*high) << 16;
            }
        } else {
            for (out, low) in out.iter_mut().zip(at(column)) {
                *out = bf16(*low);
            }
        }
    }
}

/// As [`steps_f32`], two columns a word.
#[inline(always)]
fn steps_bf16(
    matrix: Matrix<'_>,
    n_lanes: usize,
    rows: Range<usize>,
    columns: Range<usize>,
    out: &mut [u32],
) {
    for (lane, row) in rows.enumerate() {
        let at = |column: usize| matrix.data[row * matrix.row + column * matrix.column];
        let words = out[lane..].iter_mut().step_by(n_lanes);
        if matrix.column == 1 {
            let x = &matrix.data[row * matrix.row + columns.start..][..columns.len()];
            let (pairs, rest) = x.as_chunks::<2>();
            let mut words = words;
            for ([low, high], out) in pairs.iter().zip(&mut words) {
                *out = bf16(*low) | bf16(*high) << 16;
            }
            for (low, out) in rest.iter().zip(words) {
                *out = bf16(*low);
            }
            continue;
        }
        for (column, out) in columns.clone().step_by(2).zip(words) {
            let high = if column + 1 < columns.end { bf16(at(column + 1)) } else { 0 };
            *out = bf16(at(column)) | high << 16;
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
