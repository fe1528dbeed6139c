//! The kernels as loops over small arrays, which the compiler vectorises for whatever machine it builds for.

use super::isa::{Isa, N_DOT_ROWS, N_ROWS};
use super::panels::Panel;
use super::quantised::Codes;

/// No instructions beyond those that the whole program is built for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

impl Isa for Portable {
    fn int8_tile<const M: usize>(self, panel: Panel<'_>, x: [Codes<'_>; M]) -> [[f32; N_ROWS]; M] {
        x.map(|x| int8_rows(panel, x))
    }

    fn dots<const M: usize>(self, rows: &[f32], x: [&[f32]; M]) -> [[f32; N_DOT_ROWS]; M] {
        x.map(|x| std::array::from_fn(|r| dot(&rows[r * x.len()..][..x.len()], x)))
    }
}

fn int8_rows(panel: Panel<'_>, x: Codes<'_>) -> [f32; N_ROWS] {
    let mut sums = [0.0; N_ROWS];
    let (pairs, _) = panel.codes.as_chunks::<{ 2 * N_ROWS }>();
    let (inputs, _) = x.codes.as_chunks::<2>();
    let (scales, _) = panel.scales.as_chunks::<N_ROWS>();
    let mut first = 0;
    for ((block, scales), x_scale) in panel.blocks.iter().zip(scales).zip(x.scales) {
        let range = first..first + block.n_pairs;
        first = range.end;
        let mut products = [0i32; N_ROWS];
        for (pair, [a, b]) in pairs[range.clone()].iter().zip(&inputs[range]) {
            for (product, [v, w]) in products.iter_mut().zip(pair.as_chunks::<2>().0) {
                *product += i32::from(*v) * i32::from(*a) + i32::from(*w) * i32::from(*b);
            }
        }
        for ((sum, product), scale) in sums.iter_mut().zip(products).zip(scales) {
            *sum += product as f32 * (scale * x_scale);
        }
    }
    sums
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
