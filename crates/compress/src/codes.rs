//! Scales and codes of some rows of a matrix, to the bit as torch computes them on the CPU in the weight's own type.
//!
//! A scale is the largest magnitude of its block, divided by half of the codes' range, and never 0; a code is the weight divided by
//! the scale, both rounded to the weight's type, clamped to the range, and rounded half to even.

use hala_tensor::e4m3;

use crate::float::Float;
use crate::scheme::Code;

/// Adding it to a float of magnitude below 2²² leaves the nearest whole number, ties to even, in the low bits.
const ROUNDER: f32 = 12_582_912.0;

/// The largest magnitude of each block of columns of some rows that share scales; `x [rows, columns]`.
pub(crate) fn magnitudes(x: &[f32], n_columns: usize, width: usize, out: &mut [f32]) {
    for row in x.chunks_exact(n_columns) {
        for (max, x) in out.iter_mut().zip(row.chunks(width)) {
            // Magnitudes are compared by their bits, which have the order of the floats: a loop without branches.
            let bits = x.iter().fold(0, |max: i32, x| max.max(x.abs().to_bits() as i32));
            *max = max.max(f32::from_bits(bits as u32));
        }
    }
}

/// The scale of a block.
pub(crate) fn scale<F: Float>(magnitude: f32, code: Code) -> f32 {
    let scale = F::round(magnitude / code.half_range());
    if scale == 0.0 { F::EPSILON } else { scale }
}

/// Codes of one row whose blocks of `width` columns have these scales, as the file stores them, appended to `out`.
pub(crate) fn encode_row<F: Float>(row: &[f32], width: usize, scales: &[f32], code: Code, out: &mut Vec<u8>) {
    let range = code.range();
    match code {
        Code::E4M3 => {
            for (x, scale) in row.chunks(width).zip(scales) {
                // Adding 0 makes −0 a 0, as adding a zero point does there.
                out.extend(x.iter().map(|x| e4m3::encode(F::round(x / scale) + 0.0)));
            }
        }
        Code::Int8 => {
            for (x, scale) in row.chunks(width).zip(scales) {
                out.extend(x.iter().map(|x| whole::<F>(*x, *scale, range) as u8));
            }
        }
        Code::Packed(n_bits) => {
            let blocks = row.chunks(width).zip(scales);
            let codes = blocks.flat_map(|(x, scale)| x.iter().map(|x| whole::<F>(*x, *scale, range)));
            pack(codes, n_bits, out);
        }
    }
}

/// The code of a number, for codes that are whole.
#[inline(always)]
pub(crate) fn whole<F: Float>(x: f32, scale: f32, (min, max): (f32, f32)) -> i32 {
    // Not `clamp`, whose order of comparisons is not vectorised.
    let x = F::round(x / scale).max(min).min(max);
    (x + ROUNDER).to_bits() as i32 - ROUNDER.to_bits() as i32
}

/// Whole codes of one row, as the file stores them, appended to `out`.
pub(crate) fn store_row(codes: impl Iterator<Item = i32>, code: Code, out: &mut Vec<u8>) {
    match code {
        Code::E4M3 | Code::Int8 => out.extend(codes.map(|code| code as u8)),
        Code::Packed(n_bits) => pack(codes, n_bits, out),
    }
}

/// Codes plus 2^(bits − 1) in 32-bit words, low bits first; what fills the last word is 0.
fn pack(codes: impl Iterator<Item = i32>, n_bits: u32, out: &mut Vec<u8>) {
    let half = 1 << (n_bits - 1);
    let start = out.len();
    // Both widths that there are divide a byte, and words are little-endian: codes go into bytes in order.
    let mut byte = 0u32;
    let mut n_filled = 0;
    for code in codes {
        byte |= ((code + half) as u32) << n_filled;
        n_filled += n_bits;
        if n_filled == 8 {
            out.push(byte as u8);
            (byte, n_filled) = (0, 0);
        }
    }
    if n_filled > 0 {
        out.push(byte as u8);
    }
    out.resize(start + (out.len() - start).next_multiple_of(4), 0);
}
