//! The blocks of ggml's quantised types: how their bytes become numbers.
//!
//! Source: `ggml-quants.c` of <https://github.com/ggml-org/ggml> for the layouts; each value is computed in f32 in the same order.

use hala_tensor::DType;
use half::f16;

use crate::FileDType;

/// Elements of a block of the K types.
const K: usize = 256;

/// Decodes a row of whole blocks; types that have none leave `out` as it is.
pub(crate) fn decode(dtype: FileDType, bytes: &[u8], out: &mut [f32]) {
    let (n_block, n_bytes) = dtype.block();
    let blocks = bytes.chunks_exact(n_bytes).zip(out.chunks_exact_mut(n_block));
    match dtype {
        FileDType::Q8_0 => blocks.for_each(|(block, out)| q8_0(block, out)),
        FileDType::Q4_0 => blocks.for_each(|(block, out)| q4_0(block, out)),
        FileDType::Q4_K => blocks.for_each(|(block, out)| q4_k(block, out)),
        FileDType::Q5_K => blocks.for_each(|(block, out)| q5_k(block, out)),
        FileDType::Q6_K => blocks.for_each(|(block, out)| q6_k(block, out)),
        _ => {}
    }
}

/// Codes and scales of rows, as the type of [`dtype`] has them.
pub(crate) fn codes(dtype: FileDType, bytes: &[u8], codes: &mut Vec<u8>, scales: &mut Vec<f32>) {
    let (_, n_bytes) = dtype.block();
    for block in bytes.chunks_exact(n_bytes) {
        match dtype {
            FileDType::Q8_0 => {
                scales.push(half(&block[..2]));
                codes.extend_from_slice(&block[2..]);
            }
            FileDType::Q4_0 => {
                scales.push(half(&block[..2]));
                // Half a block apart there, side by side here; both add 8.
                let pairs = block[2..].as_chunks::<2>().0;
                codes.extend(pairs.iter().map(|[a, b]| a & 15 | b << 4));
                codes.extend(pairs.iter().map(|[a, b]| a >> 4 | b & 0xf0));
            }
            FileDType::Q6_K => {
                let d = half(&block[208..]);
                scales.extend(block[192..208].iter().map(|scale| d * f32::from(*scale as i8)));
                codes.extend((0..K).map(|i| q6_k_code(block, i) as u8));
            }
            _ => {}
        }
    }
}

/// The element type in memory that holds a type exactly, for those whose numbers are codes times scales.
pub(crate) fn dtype(dtype: FileDType) -> Option<DType> {
    match dtype {
        FileDType::Q8_0 => Some(DType::Int8 { group: 32 }),
        FileDType::Q4_0 => Some(DType::Int4 { group: 32 }),
        FileDType::Q6_K => Some(DType::Int8 { group: 16 }),
        _ => None,
    }
}

fn half(bytes: &[u8]) -> f32 {
    f16::from_le_bytes([bytes[0], bytes[1]]).to_f32()
}

/// A scale in f16, 32 signed bytes.
fn q8_0(block: &[u8], out: &mut [f32]) {
    let d = half(block);
    out.iter_mut().zip(&block[2..]).for_each(|(x, code)| *x = f32::from(*code as i8) * d);
}

/// A scale in f16, 16 bytes whose lower halves come first; 8 is added to the numbers.
fn q4_0(block: &[u8], out: &mut [f32]) {
    let d = half(block);
    let (first, second) = out.split_at_mut(16);
    for ((a, b), byte) in first.iter_mut().zip(second).zip(&block[2..]) {
        *a = f32::from((byte & 15) as i8 - 8) * d;
        *b = f32::from((byte >> 4) as i8 - 8) * d;
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

/// 128 bytes of lower halves, 64 of upper pairs of bits, 16 signed scales, a scale in f16; 32 is added to the numbers.
fn q6_k(block: &[u8], out: &mut [f32]) {
    let d = half(&block[208..]);
    for (i, x) in out.iter_mut().enumerate() {
        *x = d * f32::from(block[192 + i / 16] as i8) * f32::from(q6_k_code(block, i));
    }
}

/// One number of a block of Q6_K: both halves of the block have 4 rows of 32, of which two share bytes of lower halves and all four share those
/// of upper bits.
fn q6_k_code(block: &[u8], i: usize) -> i8 {
    let (part, row, column) = (i / 128, i % 128 / 32, i % 32);
    let low = block[part * 64 + row % 2 * 32 + column] >> (row / 2 * 4) & 15;
    let high = block[128 + part * 32 + column] >> (row * 2) & 3;
    (low | (high << 4)) as i8 - 32
}
