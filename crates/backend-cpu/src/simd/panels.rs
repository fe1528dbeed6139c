//! Int8 and int4 matrices, packed for the kernel that reads them: 16 rows side by side, a few columns at a time.

use std::ops::Range;

use hala_tensor::{DType, Shape, int4};

use super::layout::{Block, Layout, MAX_BLOCK, N_ROWS, Panel, Width};
use crate::pages::Pages;

/// Row-major codes of a matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Codes<'a> {
    /// One a byte.
    Int8(&'a [i8]),
    /// Two a byte, as in [`int4`].
    Int4(&'a [u8]),
}

/// An int8 or int4 matrix in panels of 16 rows; rows past the last are zeros.
#[derive(Debug)]
pub(crate) struct Panels {
    shape: Shape,
    group: usize,
    layout: Layout,
    width: Width,
    blocks: Vec<Block>,
    /// Bytes of the codes of a panel.
    panel_bytes: usize,
    codes: Pages<i8>,
    scales: Pages<f32>,
}

impl Panels {
    /// Repacks row-major `codes [rows, columns]` and `scales [rows, ⌈columns / group⌉]`.
    pub(crate) fn new(layout: Layout, shape: Shape, group: usize, codes: Codes<'_>, scales: &[f32]) -> Self {
        let (n_rows, n_columns) = (shape.n_rows(), shape.n_columns());
        let group = group.max(1);
        let width = match codes {
            Codes::Int8(_) => Width::Int8,
            Codes::Int4(_) => Width::Int4,
        };
        let blocks = blocks(n_columns, group, layout, width);
        let n_steps: usize = blocks.iter().map(|b| b.n_steps).sum();
        let panel_bytes = n_steps * layout.n_columns() * N_ROWS / width.n_together();
        let n_panels = n_rows.div_ceil(N_ROWS);
        let mut panels = Self {
            shape,
            group,
            layout,
            width,
            panel_bytes,
            codes: Pages::zeroed(n_panels * panel_bytes),
            scales: Pages::zeroed(n_panels * blocks.len() * N_ROWS),
            blocks,
        };
        let (n_groups, n_bytes) = (n_columns.div_ceil(group), int4::n_row_bytes(n_columns));
        let mut unpacked = Vec::new();
        for row in 0..n_rows {
            let codes = match codes {
                Codes::Int8(codes) => &codes[row * n_columns..][..n_columns],
                Codes::Int4(bytes) => {
                    unpacked.clear();
                    unpacked.extend(int4::codes(&bytes[row * n_bytes..][..n_bytes]).take(n_columns));
                    &unpacked[..]
                }
            };
            panels.set_row(row, codes, &scales[row * n_groups..][..n_groups]);
        }
        panels
    }

    fn set_row(&mut self, row: usize, codes: &[i8], scales: &[f32]) {
        let (panel, lane) = (row / N_ROWS, row % N_ROWS);
        let n = self.layout.n_columns();
        let panel_codes = &mut self.codes[panel * self.panel_bytes..][..self.panel_bytes];
        let panel_scales = &mut self.scales[panel * self.blocks.len() * N_ROWS..];
        let mut first = 0;
        for (block, panel_scales) in self.blocks.iter().zip(panel_scales.chunks_mut(N_ROWS)) {
            panel_scales[lane] = scales[block.first / self.group];
            for (step, from) in (first..).zip(codes[block.columns()].chunks(n)) {
                match self.width {
                    Width::Int8 => {
                        panel_codes[(step * N_ROWS + lane) * n..][..from.len()].copy_from_slice(from);
                    }
                    Width::Int4 => {
                        let to = &mut panel_codes[(step / 2 * N_ROWS + lane) * n..];
                        let shift = 4 * (step % 2);
                        to.iter_mut().zip(from).for_each(|(to, code)| *to |= (code & 15) << shift);
                    }
                }
            }
            first += block.n_steps;
        }
    }

    /// `[rows, columns]`
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// The element type.
    pub(crate) fn dtype(&self) -> DType {
        match self.width {
            Width::Int8 => DType::Int8 { group: self.group },
            Width::Int4 => DType::Int4 { group: self.group },
        }
    }

    /// Bits of a code.
    pub(crate) fn n_bits(&self) -> usize {
        self.width.n_bits()
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
            width: self.width,
            scales: &self.scales[panel * n_scales..][..n_scales],
            blocks: &self.blocks,
        }
    }

    /// Decodes one row.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        let (panel, lane) = (self.panel(row / N_ROWS), row % N_ROWS);
        let n = self.layout.n_columns();
        let mut first = 0;
        for (block, scales) in self.blocks.iter().zip(panel.scales.chunks(N_ROWS)) {
            let scale = scales[lane];
            for (step, out) in (first..).zip(out[block.columns()].chunks_mut(n)) {
                let codes = &panel.codes[(step / self.width.n_together() * N_ROWS + lane) * n..][..n];
                for (out, code) in out.iter_mut().zip(codes) {
                    let code = match self.width {
                        Width::Int8 => *code,
                        Width::Int4 => code << (4 - 4 * (step % 2)) >> 4,
                    };
                    *out = f32::from(code) * scale;
                }
            }
            first += block.n_steps;
        }
    }
}

/// Groups, cut where they are longer than a block may be.
fn blocks(n_columns: usize, group: usize, layout: Layout, width: Width) -> Vec<Block> {
    let groups = (0..n_columns).step_by(group).map(|first| first..n_columns.min(first + group));
    let cut = |group: Range<usize>| {
        let end = group.end;
        group.step_by(MAX_BLOCK).map(move |first| {
            let n_columns = MAX_BLOCK.min(end - first);
            let n_steps = n_columns.div_ceil(layout.n_columns()).next_multiple_of(width.n_together());
            Block { first, n_columns, n_steps }
        })
    };
    groups.flat_map(cut).collect()
}

#[cfg(test)]
mod tests {
    use hala_tensor::{Data, Tensor, int4, int8};

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
            let (mut bytes, mut codes) = (Vec::new(), Vec::new());
            let (mut fine, mut coarse) = (Vec::new(), Vec::new());
            for row in values.chunks(columns) {
                int8::encode_row(row, group, &mut codes, &mut fine);
                int4::encode_row(row, group, &mut bytes, &mut coarse);
            }
            let eight = Panels::new(layout, shape, group, Codes::Int8(&codes), &fine);
            let four = Panels::new(layout, shape, group, Codes::Int4(&bytes), &coarse);
            let int8 = Tensor::new(shape, Data::Int8 { codes, scales: fine, group }).unwrap();
            let int4 = Tensor::new(shape, Data::Int4 { codes: bytes, scales: coarse, group }).unwrap();
            for (panels, tensor) in [(eight, int8), (four, int4)] {
                let (mut a, mut b) = (vec![0.0; columns], vec![0.0; columns]);
                assert_eq!(panels.dtype(), tensor.dtype());
                for row in 0..rows {
                    panels.row(row, &mut a);
                    tensor.row(row, &mut b);
                    assert_eq!(a, b, "row {row} of {shape}, {}, {layout:?}", tensor.dtype());
                }
            }
        }
    }

    #[test]
    fn a_long_group_is_cut_so_that_its_sum_cannot_overflow() {
        let blocks = blocks(700, 600, Layout::Pairs, Width::Int8);
        assert_eq!(blocks.iter().map(|b| b.n_columns).collect::<Vec<_>>(), [256, 256, 88, 100]);
    }
}
