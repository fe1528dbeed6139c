//! Int8 matrices in the layout that the kernels read: 16 rows side by side, a few columns at a time.

use std::ops::Range;

use hala_tensor::Shape;

use super::isa::N_ROWS;
use super::quantised::Inputs;
use crate::pages::Pages;

/// Columns of a block at most: 256 products of a code (≤ 127) and a 16-bit input stay below 2³¹.
pub(super) const MAX_BLOCK: usize = 256;

/// How a kernel reads codes and inputs: a step is some columns of all rows of a panel, and the inputs of those columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "each machine has the kernels for some of them")]
pub(crate) enum Layout {
    /// Two columns a step; inputs of 16 bits.
    Pairs,
    /// Four columns a step; the upper bytes of four inputs, then the lower ones.
    Fours,
    /// Eight columns a step; the upper bytes of eight inputs, then the lower ones.
    Eights,
}

impl Layout {
    /// Columns of a step.
    pub(crate) fn n_columns(self) -> usize {
        match self {
            Self::Pairs => 2,
            Self::Fours => 4,
            Self::Eights => 8,
        }
    }

    /// 32-bit words of one token's inputs of a step.
    pub(crate) fn n_words(self) -> usize {
        self.n_columns() / 2
    }
}

/// Columns that share a scale and are summed as integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// First column.
    pub(crate) first: usize,
    /// Columns.
    pub(crate) n_columns: usize,
    /// Steps that hold the columns, the last one padded with zeros.
    pub(crate) n_steps: usize,
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
    /// For each step, for each row, the codes of its columns.
    pub(crate) codes: &'a [i8],
    /// For each block, the scale of each row.
    pub(crate) scales: &'a [f32],
    /// The blocks, which cover the columns in order.
    pub(crate) blocks: &'a [Block],
}

impl Panel<'_> {
    /// Makes sure that a kernel may read `16 · columns` codes and the words of `n_tokens` for every step, and 16 scales and those
    /// of the tokens for every block.
    ///
    /// # Panics
    /// Something is shorter: a panel and inputs of two layouts or two matrices.
    #[inline(always)]
    pub(crate) fn check(&self, layout: Layout, x: Inputs<'_>, n_tokens: usize) {
        let n_steps: usize = self.blocks.iter().map(|b| b.n_steps).sum();
        let n_blocks = self.blocks.len();
        assert!(self.codes.len() == n_steps * layout.n_columns() * N_ROWS);
        assert!(self.scales.len() == n_blocks * N_ROWS);
        let reach = |n: usize| n.saturating_sub(1) * x.stride + n_tokens;
        assert!(x.words.len() >= reach(n_steps * layout.n_words()) && x.scales.len() >= reach(n_blocks));
    }
}

/// An int8 matrix in panels of 16 rows; rows past the last are zeros.
#[derive(Debug)]
pub(crate) struct Panels {
    shape: Shape,
    group: usize,
    layout: Layout,
    blocks: Vec<Block>,
    /// Bytes of the codes of a panel.
    panel_bytes: usize,
    codes: Pages<i8>,
    scales: Pages<f32>,
}

impl Panels {
    /// Repacks row-major `codes [rows, columns]` and `scales [rows, ⌈columns / group⌉]`.
    pub(crate) fn new(layout: Layout, shape: Shape, group: usize, codes: &[i8], scales: &[f32]) -> Self {
        let (n_rows, n_columns) = (shape.n_rows(), shape.n_columns());
        let group = group.max(1);
        let blocks = blocks(n_columns, group, layout);
        let n_steps: usize = blocks.iter().map(|b| b.n_steps).sum();
        let panel_bytes = n_steps * layout.n_columns() * N_ROWS;
        let n_panels = n_rows.div_ceil(N_ROWS);
        let mut panels = Self {
            shape,
            group,
            layout,
            panel_bytes,
            codes: Pages::zeroed(n_panels * panel_bytes),
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
        let width = self.layout.n_columns();
        let panel_codes = &mut self.codes[panel * self.panel_bytes..][..self.panel_bytes];
        let panel_scales = &mut self.scales[panel * self.blocks.len() * N_ROWS..];
        let mut steps = panel_codes.chunks_exact_mut(width * N_ROWS);
        for (block, panel_scales) in self.blocks.iter().zip(panel_scales.chunks_mut(N_ROWS)) {
            panel_scales[lane] = scales[block.first / self.group];
            for (from, to) in codes[block.columns()].chunks(width).zip(&mut steps) {
                to[width * lane..][..from.len()].copy_from_slice(from);
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

    /// What inputs are quantised for.
    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// The blocks of every row.
    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Rows `16 · panel…`.
    pub(crate) fn panel(&self, panel: usize) -> Panel<'_> {
        let n_scales = self.blocks.len() * N_ROWS;
        Panel {
            codes: &self.codes[panel * self.panel_bytes..][..self.panel_bytes],
            scales: &self.scales[panel * n_scales..][..n_scales],
            blocks: &self.blocks,
        }
    }

    /// Decodes one row.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        let (panel, lane) = (self.panel(row / N_ROWS), row % N_ROWS);
        let width = self.layout.n_columns();
        let mut steps = panel.codes.chunks_exact(width * N_ROWS);
        for (block, scales) in self.blocks.iter().zip(panel.scales.chunks(N_ROWS)) {
            let scale = scales[lane];
            for (out, step) in out[block.columns()].chunks_mut(width).zip(&mut steps) {
                for (out, code) in out.iter_mut().zip(&step[width * lane..]) {
                    *out = f32::from(*code) * scale;
                }
            }
        }
    }
}

/// Groups, cut where they are longer than a block may be.
fn blocks(n_columns: usize, group: usize, layout: Layout) -> Vec<Block> {
    let groups = (0..n_columns).step_by(group).map(|first| first..n_columns.min(first + group));
    let cut = |group: Range<usize>| {
        let end = group.end;
        group.step_by(MAX_BLOCK).map(move |first| {
            let n_columns = MAX_BLOCK.min(end - first);
            Block { first, n_columns, n_steps: n_columns.div_ceil(layout.n_columns()) }
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
        let layouts = [Layout::Pairs, Layout::Fours, Layout::Eights];
        layouts.into_iter().for_each(rows_come_back);
    }

    fn rows_come_back(layout: Layout) {
        for (rows, columns, group) in [(1, 1, 64), (17, 31, 7), (33, 129, 64), (16, 600, 512), (5, 1025, 1)] {
            let shape = Shape::matrix(rows, columns);
            let values: Vec<f32> =
                (0..rows * columns).map(|i| ((i * 37 % 101) as f32 - 50.0) / 17.0).collect();
            let (mut codes, mut scales) = (Vec::new(), Vec::new());
            for row in values.chunks(columns) {
                int8::encode_row(row, group, &mut codes, &mut scales);
            }
            let panels = Panels::new(layout, shape, group, &codes, &scales);
            let tensor = Tensor::new(shape, Data::Int8 { codes, scales, group }).unwrap();
            let (mut a, mut b) = (vec![0.0; columns], vec![0.0; columns]);
            for row in 0..rows {
                panels.row(row, &mut a);
                tensor.row(row, &mut b);
                assert_eq!(a, b, "row {row} of {shape}, groups of {group}, {layout:?}");
            }
        }
    }

    #[test]
    fn a_long_group_is_cut_so_that_its_sum_cannot_overflow() {
        let blocks = blocks(700, 600, Layout::Pairs);
        assert_eq!(blocks.iter().map(|b| b.n_columns).collect::<Vec<_>>(), [256, 256, 88, 100]);
    }
}
