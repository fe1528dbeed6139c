//! Blocks whose numbers are codes times scales plus or minus offsets.

use super::half::half;
use super::signed::{fifth_bits, nibbles};
use crate::file_dtype::FileDType;

/// The numbers of a block; other types leave `out` as it is.
pub(super) fn decode(dtype: FileDType, block: &[u8], out: &mut [f32]) {
    match dtype {
        FileDType::Q4_1 => {
            let (d, offset) = (half(block), half(&block[2..]));
            nibbles(&block[4..], out, |_, nibble| d * f32::from(nibble) + offset);
        }
        FileDType::Q5_1 => {
            let (d, offset, high) = (half(block), half(&block[2..]), fifth_bits(&block[4..8]));
            nibbles(&block[8..], out, |i, nibble| d * f32::from(nibble | high(i)) + offset);
        }
        FileDType::Q2_K => q2_k(block, out),
        FileDType::Q4_K => q4_k(block, out),
        FileDType::Q5_K => q5_k(block, out),
        _ => {}
    }
}

/// 16 bytes of a scale and an offset of 4 bits each, 64 bytes of pairs of bits, two scales in f16.
fn q2_k(block: &[u8], out: &mut [f32]) {
    let (packed, bits, d, d_min) = (&block[..16], &block[16..80], half(&block[80..]), half(&block[82..]));
    for (i, x) in out.iter_mut().enumerate() {
        let (scale, row) = (packed[i / 16], i % 128 / 32);
        let code = bits[i / 128 * 32 + i % 32] >> (row * 2) & 3;
        *x = d * f32::from(scale & 15) * f32::from(code) - d_min * f32::from(scale >> 4);
    }
}

/// The scale and the offset of one of eight groups, 6 bits each of 12 bytes.
fn scale_and_offset(packed: &[u8], group: usize) -> (f32, f32) {
    let (scale, offset) = if group < 4 {
        (packed[group] & 63, packed[group + 4] & 63)
    } else {
        let low = packed[group + 4];
        ((low & 15) | ((packed[group - 4] >> 6) << 4), (low >> 4) | ((packed[group] >> 6) << 4))
    };
    (f32::from(scale), f32::from(offset))
}

/// Two scales in f16, 12 bytes of scales and offsets of 8 groups of 32, and 128 bytes of 4-bit numbers.
fn q4_k(block: &[u8], out: &mut [f32]) {
    let (d, d_min) = (half(block), half(&block[2..]));
    for (group, out) in out.chunks_exact_mut(32).enumerate() {
        let (scale, offset) = scale_and_offset(&block[4..16], group);
        let (d, offset) = (d * scale, d_min * offset);
        let bytes = &block[16 + group / 2 * 32..][..32];
        let shift = group % 2 * 4;
        out.iter_mut().zip(bytes).for_each(|(x, byte)| *x = d * f32::from((byte >> shift) & 15) - offset);
    }
}

/// As [`q4_k`], with 32 bytes that hold the fifth bits: bit g of byte i is that of number i of group g.
fn q5_k(block: &[u8], out: &mut [f32]) {
    let (d, d_min) = (half(block), half(&block[2..]));
    let high = &block[16..48];
    for (group, out) in out.chunks_exact_mut(32).enumerate() {
        let (scale, offset) = scale_and_offset(&block[4..16], group);
        let (d, offset) = (d * scale, d_min * offset);
        let bytes = &block[48 + group / 2 * 32..][..32];
        let shift = group % 2 * 4;
        for ((x, byte), high) in out.iter_mut().zip(bytes).zip(high) {
            let code = ((byte >> shift) & 15) | (((high >> group) & 1) << 4);
            *x = d * f32::from(code) - offset;
        }
    }
}
