//! Int8 matrices in the layout that the kernels read: 16 rows side by side, two columns at a time.

use std::ops::Range;

use hala_tensor::Shape;

use super::isa::N_ROWS;
use crate::pages::Pages;

/// Columns of a block at most: 256 products of a code (≤ 127) and a 16-bit input (≤ 32767) stay below 2³¹.
const MAX_BLOCK: usize = 256;

/// Columns that share a scale and are summed as integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// First column.
    pub(crate) first: usize,
    /// Columns.
    pub(crate) n_columns: usize,
    /// Columns in twos, an odd last one padded with a zero.
    pub(crate) n_pairs: usize,
}

impl Block {
    /// The columns.
    pub(crate) fn columns(&self) -> Range<usize> {
        self.first..self.first + self.n_columns
    }
}

/// Sixteen rows of a matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<'a> {
    /// For each pair of columns, for each row, the two codes.
    pub(crate) codes: &'a [i8],
    /// For each block, the scale of each row.
    pub(crate) scales: &'a [f32],
    /// The blocks, which cover the columns in order.
    pub(crate) blocks: &'a [Block],
}

/// An int8 matrix in panels of 16 rows; rows past the last are zeros.
#[derive(Debug)]
pub(crate) struct Panels {
    shape: Shape,
    group: usize,
    blocks: Vec<Block>,
    n_pairs: usize,
    codes: Pages<i8>,
    scales: Pages<f32>,
}

impl Panels {
    /// Repacks row-major `codes [rows, columns]` and `scales [rows, ⌈columns / group⌉]`.
    pub(crate) fn new(shape: Shape, group: usize, codes: &[i8], scales: &[f32]) -> Self {
        let (n_rows, n_columns) = (shape.n_rows(), shape.n_columns());
        let group = group.max(1);
        let blocks = blocks(n_columns, group);
        let n_pairs = blocks.iter().map(|b| b.n_pairs).sum();
        let n_panels = n_rows.div_ceil(N_ROWS);
        let mut panels = Self {
            shape,
            group,
            n_pairs,
            codes: Pages::zeroed(n_panels * n_pairs * 2 * N_ROWS),
            scales: Pages::zeroed(n_panels * blocks.len() * N_ROWS),
            blocks,
        };
        let n_groups = n_columns.div_ceil(group);
        for row in 0..n_rows {
            panels.set_row(
                row,
                &codes[row * n_columns..][..n_columns],
                &scales[row * n_groups..][..n_groups],
            );
        }
        panels
    }

    fn set_row(&mut self, row: usize, codes: &[i8], scales: &[f32]) {
        let (panel, lane) = (row / N_ROWS, row % N_ROWS);
        let panel_codes = &mut self.codes[panel * self.n_pairs * 2 * N_ROWS..][..self.n_pairs * 2 * N_ROWS];
        let panel_scales = &mut self.scales[panel * self.blocks.len() * N_ROWS..];
        let mut pairs = panel_codes.as_chunks_mut::<{ 2 * N_ROWS }>().0.iter_mut();
        for (block, panel_scales) in self.blocks.iter().zip(panel_scales.chunks_mut(N_ROWS)) {
            panel_scales[lane] = scales[block.first / self.group];
            for (from, to) in codes[block.columns()].chunks(2).zip(&mut pairs) {
                to[2 * lane] = from[0];
                if let Some(second) = from.get(1) {
                    to[2 * lane + 1] = *second;
                }
            }
        }
    }

    /// `[rows, columns]`
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// Columns that share a scale.
    pub(crate) fn group(&self) -> usize {
        self.group
    }

    /// The blocks of every row.
    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Rows `16 · panel…`.
    pub(crate) fn panel(&self, panel: usize) -> Panel<'_> {
        let n_codes = self.n_pairs * 2 * N_ROWS;
        let n_scales = self.blocks.len() * N_ROWS;
        Panel {
            codes: &self.codes[panel * n_codes..][..n_codes],
            scales: &self.scales[panel * n_scales..][..n_scales],
            blocks: &self.blocks,
        }
    }

    /// Decodes one row.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        let (panel, lane) = (self.panel(row / N_ROWS), row % N_ROWS);
        let mut pairs = panel.codes.as_chunks::<{ 2 * N_ROWS }>().0.iter();
        for (block, scales) in self.blocks.iter().zip(panel.scales.chunks(N_ROWS)) {
            let scale = scales[lane];
            for (out, pair) in out[block.columns()].chunks_mut(2).zip(&mut pairs) {
                for (out, code) in out.iter_mut().zip(&pair[2 * lane..]) {
                    *out = f32::from(*code) * scale;
                }
            }
        }
    }
}

/// Groups, cut where they are longer than a block may be.
fn blocks(n_columns: usize, group: usize) -> Vec<Block> {
    let groups = (0..n_columns).step_by(group).map(|first| first..n_columns.min(first + group));
    let cut = |group: Range<usize>| {
        let end = group.end;
        group.step_by(MAX_BLOCK).map(move |first| {
            let n_columns = MAX_BLOCK.min(end - first);
            Block { first, n_columns, n_pairs: n_columns.div_ceil(2) }
        })
    };
    groups.flat_map(cut).collect()
}

#[cfg(test)]
mod tests {
    use hala_tensor::{Data, Tensor, int8};

    use super::*;

    #[test]
    fn rows_come_back_as_they_were() {
        for (rows, columns, group) in [(1, 1, 64), (17, 31, 7), (33, 129, 64), (16, 600, 512), (5, 1025, 1)] {
            let shape = Shape::matrix(rows, columns);
            let values: Vec<f32> =
                (0..rows * columns).map(|i| ((i * 37 % 101) as f32 - 50.0) / 17.0).collect();
            let (mut codes, mut scales) = (Vec::new(), Vec::new());
            for row in values.chunks(columns) {
                int8::encode_row(row, group, &mut codes, &mut scales);
            }
            let panels = Panels::new(shape, group, &codes, &scales);
            let tensor = Tensor::new(shape, Data::Int8 { codes, scales, group }).unwrap();
            let (mut a, mut b) = (vec![0.0; columns], vec![0.0; columns]);
            for row in 0..rows {
                panels.row(row, &mut a);
                tensor.row(row, &mut b);
                assert_eq!(a, b, "row {row} of {shape}, groups of {group}");
            }
        }
    }

    #[test]
    fn a_long_group_is_cut_so_that_its_sum_cannot_overflow() {
        let blocks = blocks(700, 600);
        assert_eq!(blocks.iter().map(|b| b.n_columns).collect::<Vec<_>>(), [256, 256, 88, 100]);
    }
}
