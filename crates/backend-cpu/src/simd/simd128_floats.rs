//! The kernel for matrices of floats for WebAssembly: a column of 16 numbers is four vectors.

use std::arch::wasm32::{
    f32x4_add, f32x4_mul, f32x4_splat, i16x8_load_extend_i8x8, i16x8_shl, i16x8_shuffle, i16x8_splat,
    i32x4_gt, i32x4_shl, i32x4_splat, u32x4_load_extend_u16x4, v128, v128_and, v128_load, v128_or,
    v128_store,
};

use super::floats::{Float, FloatInputs, FloatPanel, Format, SPAN};
use super::layout::N_ROWS;

/// Vectors of a column.
const N_QUADS: usize = N_ROWS / 4;

/// E4M3 codes are taken for the upper bits of f32, whose exponents have another bias (127, not 7). Inputs make up for half of what the numbers
/// lack, and sums for the rest: so no product is too small or too large.
const E4M3_OF_F32: [f32; 2] = [f32::from_bits((127 + 60) << 23); 2];

/// The products of a panel's 16 rows with each of the first `M` tokens.
pub(super) fn float_tile<F: Format, const M: usize>(
    panel: FloatPanel<'_>,
    x: FloatInputs<'_>,
) -> [[f32; N_ROWS]; M] {
    panel.check::<F>(x, M);
    let n_bytes = N_ROWS * F::FLOAT.n_bytes();
    let [of_input, of_sum] = if F::FLOAT == Float::E4M3 { E4M3_OF_F32 } else { [1.0; 2] };
    let mut totals = [[f32x4_splat(0.0); N_QUADS]; M];
    for first in (0..panel.n_columns).step_by(SPAN) {
        let mut sums = [[f32x4_splat(0.0); N_QUADS]; M];
        for column in first..panel.n_columns.min(first + SPAN) {
            // SAFETY: the panel was checked to have the column, and `x` the inputs of each token.
            unsafe {
                let weights = one::<F>(panel.codes.as_ptr().add(column * n_bytes));
                let inputs = x.values.as_ptr().add(column * x.stride);
                for (m, sums) in sums.iter_mut().enumerate() {
                    let input = f32x4_splat(inputs.add(m).read() * of_input);
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = f32x4_add(*sum, f32x4_mul(weights, input));
                    }
                }
            }
        }
        for (totals, sums) in totals.iter_mut().zip(sums) {
            for (total, sum) in totals.iter_mut().zip(sums) {
                *total = f32x4_add(*total, sum);
            }
        }
    }
    totals.map(|totals| {
        let mut out = [0.0; N_ROWS];
        for (out, total) in out.as_chunks_mut::<4>().0.iter_mut().zip(totals) {
            // SAFETY: four floats are 16 bytes, and stores need no alignment.
            unsafe { v128_store(out.as_mut_ptr().cast(), f32x4_mul(total, f32x4_splat(of_sum))) };
        }
        out
    })
}

/// One column.
///
/// # Safety
/// 16 numbers can be read.
#[inline(always)]
unsafe fn one<F: Format>(codes: *const u8) -> [v128; N_QUADS] {
    // SAFETY: the caller's promise, here and below.
    let vector = |idx: usize| unsafe { v128_load(codes.cast::<v128>().add(idx)) };
    match F::FLOAT {
        Float::E4M3 => {
            let eight = |first: usize| {
                // Widened with its sign, a code's own sign is where an f32 has it, and four times after that.
                let words = i16x8_shl(unsafe { i16x8_load_extend_i8x8(codes.add(first).cast()) }, 4);
                upper(v128_and(words, i16x8_splat(0x87ff_u16.cast_signed())))
            };
            let ([a, b], [c, d]) = (eight(0), eight(8));
            [a, b, c, d]
        }
        Float::F16 => std::array::from_fn(|quad| unsafe {
            of_halves(u32x4_load_extend_u16x4(codes.cast::<u16>().add(4 * quad)))
        }),
        Float::BF16 => {
            let ([a, b], [c, d]) = (upper(vector(0)), upper(vector(1)));
            [a, b, c, d]
        }
        Float::F32 => std::array::from_fn(vector),
    }
}

/// Eight words as the upper halves of f32.
#[inline(always)]
fn upper(words: v128) -> [v128; 2] {
    let zero = i32x4_splat(0);
    [
        i16x8_shuffle::<0, 8, 0, 9, 0, 10, 0, 11>(zero, words),
        i16x8_shuffle::<0, 12, 0, 13, 0, 14, 0, 15>(zero, words),
    ]
}

/// Four f16, each in 32 bits, as floats: what has the largest exponent is infinite or undefined.
#[inline(always)]
fn of_halves(words: v128) -> v128 {
    let size = v128_and(words, i32x4_splat(0x7fff));
    let sign = i32x4_shl(v128_and(words, i32x4_splat(0x8000)), 16);
    let value = f32x4_mul(i32x4_shl(size, 13), f32x4_splat(f32::from_bits((127 + 127 - 15) << 23)));
    let endless = v128_and(i32x4_gt(size, i32x4_splat(0x7bff)), i32x4_splat(0x7f80_0000));
    v128_or(v128_or(value, endless), sign)
}
