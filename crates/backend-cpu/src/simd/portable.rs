//! The kernels as loops over small arrays, which the compiler vectorises for whatever machine it builds for.

use super::isa::Isa;
use super::layout::{Inputs, Layout, N_ROWS, Panel};

/// No instructions beyond those that the whole program is built for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

impl Isa for Portable {
    const LAYOUT: Layout = Layout::Pairs;

    fn tile<const N_BITS: usize, const M: usize>(
        self,
        panel: Panel<'_>,
        x: Inputs<'_>,
    ) -> [[f32; N_ROWS]; M] {
        std::array::from_fn(|m| rows::<N_BITS>(panel, x, m))
    }
}

fn rows<const N_BITS: usize>(panel: Panel<'_>, x: Inputs<'_>, m: usize) -> [f32; N_ROWS] {
    let mut sums = [0.0; N_ROWS];
    let (pairs, _) = panel.codes.as_chunks::<{ 2 * N_ROWS }>();
    let (scales, _) = panel.scales.as_chunks::<N_ROWS>();
    let mut first = 0;
    let mut words = x.words[m..].iter().step_by(x.stride);
    let x_scales = x.scales[m..].iter().step_by(x.stride);
    for ((block, scales), x_scale) in panel.blocks.iter().zip(scales).zip(x_scales) {
        let range = first..first + block.n_steps;
        first = range.end;
        let mut products = [0i32; N_ROWS];
        for (step, word) in range.zip(&mut words) {
            let [a, b]: [i16; 2] = bytemuck::cast(*word);
            // The codes of a byte are its own number, or its lower half and then its upper one.
            let pair = &pairs[step * N_BITS / 8];
            let left = if N_BITS == 4 { 4 - 4 * (step % 2) } else { 0 };
            let code = |byte: i8| i32::from(byte << left >> (8 - N_BITS));
            for (product, [v, w]) in products.iter_mut().zip(pair.as_chunks::<2>().0) {
                *product += code(*v) * i32::from(a) + code(*w) * i32::from(b);
            }
        }
        for ((sum, product), scale) in sums.iter_mut().zip(products).zip(scales) {
            *sum += product as f32 * (scale * x_scale);
        }
    }
    sums
}
