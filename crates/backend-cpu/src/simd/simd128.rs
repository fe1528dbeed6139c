//! The kernels for WebAssembly with 128-bit vectors.

use std::arch::wasm32::{
    f32x4_add, f32x4_convert_i32x4, f32x4_mul, f32x4_splat, i16x8_load_extend_i8x8, i16x8_shl, i16x8_shr,
    i32x4_add, i32x4_dot_i16x8, i32x4_shuffle, i32x4_splat, v128, v128_load, v128_load32_splat, v128_store,
};

use super::floats::{FloatInputs, FloatPanel, Format};
use super::isa::{Isa, N_DOT_ROWS};
use super::layout::{Inputs, Layout, N_ROWS, Panel};
use super::simd128_floats;

/// Vectors of four sums for the rows of a panel.
const N_QUADS: usize = N_ROWS / 4;

/// A module is built for 128-bit vectors or it is not: nothing is found at run time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Simd128;

impl Isa for Simd128 {
    const LAYOUT: Layout = Layout::Pairs;
    // Twelve sums and three inputs are as many vectors as x86-64 has registers for.
    const N_TOKENS: usize = 3;

    /// Two inputs of four rows a step: codes widened to 16 bits, times a pair of inputs, summed in 32 bits over a block.
    fn tile<const N_BITS: usize, const M: usize>(
        self,
        panel: Panel<'_>,
        x: Inputs<'_>,
    ) -> [[f32; N_ROWS]; M] {
        panel.check::<N_BITS>(Layout::Pairs, x, M);
        let mut sums = [[f32x4_splat(0.0); N_QUADS]; M];
        let mut step = 0;
        for (block_idx, block) in panel.blocks.iter().enumerate() {
            let mut products = [[i32x4_splat(0); N_QUADS]; M];
            for s in step..step + block.n_steps {
                // SAFETY: the panel was checked to have 32 codes a step, and a word of each token.
                unsafe {
                    let codes = panel.codes.as_ptr().add(s * N_BITS / 8 * 2 * N_ROWS);
                    let inputs = x.words.as_ptr().add(s * x.stride);
                    let inputs: [v128; M] = std::array::from_fn(|k| v128_load32_splat(inputs.add(k)));
                    for quad in 0..N_QUADS {
                        let mut codes = i16x8_load_extend_i8x8(codes.add(quad * 8));
                        if N_BITS == 4 {
                            // Steps take the lower and the upper halves of bytes in turn.
                            codes = i16x8_shr(i16x8_shl(codes, if s % 2 == 0 { 12 } else { 8 }), 12);
                        }
                        for (products, input) in products.iter_mut().zip(inputs) {
                            products[quad] = i32x4_add(products[quad], i32x4_dot_i16x8(codes, input));
                        }
                    }
                }
            }
            step += block.n_steps;
            let scales = &panel.scales[block_idx * N_ROWS..][..N_ROWS];
            let x_scales = &x.scales[block_idx * x.stride..][..M];
            for ((sums, products), x_scale) in sums.iter_mut().zip(products).zip(x_scales) {
                let x_scale = f32x4_splat(*x_scale);
                for ((sum, product), scales) in sums.iter_mut().zip(products).zip(scales.as_chunks::<4>().0) {
                    let scale = f32x4_mul(loaded(scales), x_scale);
                    *sum = f32x4_add(*sum, f32x4_mul(f32x4_convert_i32x4(product), scale));
                }
            }
        }
        sums.map(|sums| {
            let mut out = [0.0; N_ROWS];
            out.as_chunks_mut::<4>().0.iter_mut().zip(sums).for_each(|(out, sum)| *out = stored(sum));
            out
        })
    }

    fn float_tile<F: Format, const M: usize, const U: usize>(
        self,
        panels: [FloatPanel<'_>; U],
        x: FloatInputs<'_>,
    ) -> [[[f32; N_ROWS]; M]; U] {
        panels.map(|panel| simd128_floats::float_tile::<F, M>(panel, x))
    }

    fn dots<const M: usize>(self, rows: &[f32], x: [&[f32]; M]) -> [[f32; N_DOT_ROWS]; M] {
        x.map(|x| dots(rows, x))
    }
}

/// Four rows with one token, in eight partial sums each.
fn dots(rows: &[f32], x: &[f32]) -> [f32; N_DOT_ROWS] {
    let n = x.len();
    let rows: [&[f32]; N_DOT_ROWS] = std::array::from_fn(|r| &rows[r * n..][..n]);
    let whole = n - n % 8;
    let mut sums = [[f32x4_splat(0.0); 2]; N_DOT_ROWS];
    for i in (0..whole).step_by(8) {
        // SAFETY: i + 8 <= n, and the token and each row have n floats.
        unsafe {
            let x = x.as_ptr().add(i).cast::<v128>();
            let x = [v128_load(x), v128_load(x.add(1))];
            for (sums, row) in sums.iter_mut().zip(rows) {
                let row = row.as_ptr().add(i).cast::<v128>();
                sums[0] = f32x4_add(sums[0], f32x4_mul(x[0], v128_load(row)));
                sums[1] = f32x4_add(sums[1], f32x4_mul(x[1], v128_load(row.add(1))));
            }
        }
    }
    let mut out = stored(transposed_sum(sums.map(|[low, high]| f32x4_add(low, high))));
    for (out, row) in out.iter_mut().zip(rows) {
        *out += row[whole..].iter().zip(&x[whole..]).map(|(a, b)| a * b).sum::<f32>();
    }
    out
}

/// The sums of four vectors.
#[inline(always)]
fn transposed_sum([a, b, c, d]: [v128; 4]) -> v128 {
    let low = |a, b| i32x4_shuffle::<0, 4, 1, 5>(a, b);
    let high = |a, b| i32x4_shuffle::<2, 6, 3, 7>(a, b);
    // a0+a2 b0+b2 a1+a3 b1+b3, and the same of c and d.
    let ab = f32x4_add(low(a, b), high(a, b));
    let cd = f32x4_add(low(c, d), high(c, d));
    let first = i32x4_shuffle::<0, 1, 4, 5>(ab, cd);
    let second = i32x4_shuffle::<2, 3, 6, 7>(ab, cd);
    f32x4_add(first, second)
}

#[inline(always)]
fn loaded(values: &[f32; 4]) -> v128 {
    // SAFETY: four floats are 16 bytes, and loads need no alignment.
    unsafe { v128_load(values.as_ptr().cast()) }
}

#[inline(always)]
fn stored(vector: v128) -> [f32; 4] {
    let mut out = [0.0; 4];
    // SAFETY: four floats are 16 bytes, and stores need no alignment.
    unsafe { v128_store(out.as_mut_ptr().cast(), vector) };
    out
}
