//! Matrices of E4M3, f16 and bf16 numbers, packed for the kernels that decode them: 16 rows side by side, column by column.

use bytemuck::Pod;
use hala_tensor::{DType, Shape};

use super::floats::{Float, FloatPanel};
use super::layout::N_ROWS;
use crate::pages::Pages;

/// A matrix of floats in panels of 16 rows; rows past the last are zeros.
#[derive(Debug)]
pub(crate) struct FloatPanels {
    shape: Shape,
    float: Float,
    codes: Pages<u32>,
    /// `[rows, padded to whole panels]`; none where the format has none.
    scales: Vec<f32>,
}

impl FloatPanels {
    /// Repacks row-major `codes [rows, columns]`, of numbers that `float` says, and `scales [rows]`, or none.
    pub(crate) fn new<T: Pod>(float: Float, shape: Shape, codes: &[T], scales: &[f32]) -> Self {
        let (n_rows, n_columns) = (shape.n_rows(), shape.n_columns());
        debug_assert_eq!(size_of::<T>(), float.n_bytes());
        let n_panels = n_rows.div_ceil(N_ROWS);
        let mut packed = Pages::zeroed(n_panels * panel_bytes(float, n_columns) / size_of::<u32>());
        let columns: &mut [T] = bytemuck::cast_slice_mut(&mut packed);
        for (row, codes) in codes.chunks_exact(n_columns.max(1)).enumerate() {
            let (panel, lane) = (row / N_ROWS, row % N_ROWS);
            let panel = &mut columns[panel * n_columns * N_ROWS..][..n_columns * N_ROWS];
            for (column, code) in panel.chunks_exact_mut(N_ROWS).zip(codes) {
                column[lane] = *code;
            }
        }
        let mut scales = scales.to_vec();
        if !scales.is_empty() {
            scales.resize(n_panels * N_ROWS, 0.0);
        }
        Self { shape, float, codes: packed, scales }
    }

    /// `[rows, columns]`
    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// The element type.
    pub(crate) fn dtype(&self) -> DType {
        self.float.dtype()
    }

    /// Rows `16 · panel…`.
    pub(crate) fn panel(&self, panel: usize) -> FloatPanel<'_> {
        let n_columns = self.shape.n_columns();
        let n_bytes = panel_bytes(self.float, n_columns);
        let codes: &[u8] = bytemuck::cast_slice(&self.codes);
        FloatPanel {
            float: self.float,
            n_columns,
            codes: &codes[panel * n_bytes..][..n_bytes],
            scales: self.scales.as_chunks().0.get(panel),
        }
    }

    /// Decodes one row.
    pub(crate) fn row(&self, row: usize, out: &mut [f32]) {
        self.panel(row / N_ROWS).row(row % N_ROWS, out);
    }
}

/// Bytes of a panel: a multiple of 16.
fn panel_bytes(float: Float, n_columns: usize) -> usize {
    n_columns * N_ROWS * float.n_bytes()
}

#[cfg(test)]
mod tests {
    use hala_tensor::{Data, Tensor, e4m3};
    use half::{bf16, f16};

    use super::*;

    #[test]
    fn rows_come_back_as_they_were() {
        for (rows, columns) in [(1, 1), (17, 31), (33, 129), (16, 600), (5, 1025)] {
            let shape = Shape::matrix(rows, columns);
            let values: Vec<f32> =
                (0..rows * columns).map(|i| ((i * 37 % 101) as f32 - 50.0) / 17.0).collect();
            let codes: Vec<u8> = values.iter().map(|x| e4m3::encode(*x)).collect();
            let scales: Vec<f32> = (0..rows).map(|row| 1.0 + row as f32 / 7.0).collect();
            let wide: Vec<f16> = values.iter().map(|x| f16::from_f32(*x)).collect();
            let brain: Vec<bf16> = values.iter().map(|x| bf16::from_f32(*x)).collect();
            let panels = [
                FloatPanels::new(Float::E4M3, shape, &codes, &scales),
                FloatPanels::new(Float::F16, shape, &wide, &[]),
                FloatPanels::new(Float::BF16, shape, &brain, &[]),
            ];
            let data = [Data::E4M3 { codes, scales }, Data::F16(wide), Data::BF16(brain)];
            for (panels, data) in panels.iter().zip(data) {
                let tensor = Tensor::new(shape, data).unwrap();
                assert_eq!(panels.dtype(), tensor.dtype());
                let (mut a, mut b) = (vec![0.0; columns], vec![0.0; columns]);
                for row in 0..rows {
                    panels.row(row, &mut a);
                    tensor.row(row, &mut b);
                    assert_eq!(a, b, "row {row} of {shape}, {}", tensor.dtype());
                }
            }
        }
    }
}
