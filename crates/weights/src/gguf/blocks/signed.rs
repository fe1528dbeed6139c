//! Blocks whose numbers are signed codes times scales.

use super::half::half;
use crate::file_dtype::FileDType;

/// What the 16 codes of the IQ4 types stand for.
const IQ4: [i8; 16] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/// The codes of a block and the scales of its groups; of other types, none.
pub(super) fn read(dtype: FileDType, block: &[u8], codes: &mut [i8], scales: &mut [f32]) {
    match dtype {
        FileDType::Q8_0 => {
            scales[0] = half(block);
            codes.iter_mut().zip(&block[2..]).for_each(|(code, byte)| *code = *byte as i8);
        }
        FileDType::Q4_0 => {
            scales[0] = half(block);
            nibbles(&block[2..], codes, |_, nibble| nibble as i8 - 8);
        }
        FileDType::Q5_0 => {
            scales[0] = half(block);
            let high = fifth_bits(&block[2..6]);
            nibbles(&block[6..], codes, |i, nibble| (nibble | high(i)) as i8 - 16);
        }
        FileDType::IQ4_NL => {
            scales[0] = half(block);
            nibbles(&block[2..], codes, |_, nibble| IQ4[usize::from(nibble)]);
        }
        FileDType::IQ4_XS => iq4_xs(block, codes, scales),
        FileDType::Q3_K => q3_k(block, codes, scales),
        FileDType::Q6_K => q6_k(block, codes, scales),
        _ => {}
    }
}

/// What stands above the four lower bits of number `i` of 32: its bit of a word.
pub(super) fn fifth_bits(word: &[u8]) -> impl Fn(usize) -> u8 {
    let bits = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
    move |i| ((bits >> i & 1) << 4) as u8
}

/// The lower halves of 16 bytes, then the upper ones, each by its place.
pub(super) fn nibbles<T>(bytes: &[u8], out: &mut [T], value: impl Fn(usize, u8) -> T) {
    let (first, second) = out.split_at_mut(16);
    for (i, ((a, b), byte)) in first.iter_mut().zip(second).zip(bytes).enumerate() {
        *a = value(i, byte & 15);
        *b = value(i + 16, byte >> 4);
    }
}

/// A scale in f16; 8 scales of 6 bits, their upper pairs of bits in a word and their lower halves in 4 bytes, 32 added to each; 8 times
/// 16 bytes of codes of [`IQ4`].
fn iq4_xs(block: &[u8], codes: &mut [i8], scales: &mut [f32]) {
    let (d, high) = (half(block), u16::from_le_bytes([block[2], block[3]]));
    let groups = codes.chunks_exact_mut(32).zip(block[8..].chunks_exact(16));
    for (i, ((codes, bytes), scale)) in groups.zip(scales).enumerate() {
        let low = block[4 + i / 2] >> (i % 2 * 4) & 15;
        let high = (high >> (2 * i) & 3) as u8;
        *scale = d * f32::from((low | high << 4) as i8 - 32);
        nibbles(bytes, codes, |_, nibble| IQ4[usize::from(nibble)]);
    }
}

/// 32 bytes of third bits, of which an unset one takes 4 away; 64 bytes of lower pairs of bits; 16 scales of 6 bits in 12 bytes, 32 added
/// to each; a scale in f16.
fn q3_k(block: &[u8], codes: &mut [i8], scales: &mut [f32]) {
    let (high, low, packed, d) = (&block[..32], &block[32..96], &block[96..108], half(&block[108..]));
    for (i, scale) in scales.iter_mut().enumerate() {
        let low = packed[i % 8] >> (i / 8 * 4) & 15;
        let high = packed[8 + i % 4] >> (i / 4 * 2) & 3;
        *scale = d * f32::from((low | high << 4) as i8 - 32);
    }
    for (i, code) in codes.iter_mut().enumerate() {
        let (row, column) = (i / 32, i % 32);
        let low = low[i / 128 * 32 + column] >> (row % 4 * 2) & 3;
        let high = high[column] >> row & 1;
        *code = (low | high << 2) as i8 - 4;
    }
}

/// 128 bytes of lower halves, 64 of upper pairs of bits, 16 signed scales, a scale in f16; 32 is added to the numbers.
///
/// Both halves of the block have 4 rows of 32, of which two share bytes of lower halves and all four share those of upper bits.
fn q6_k(block: &[u8], codes: &mut [i8], scales: &mut [f32]) {
    let d = half(&block[208..]);
    scales.iter_mut().zip(&block[192..208]).for_each(|(scale, byte)| *scale = d * f32::from(*byte as i8));
    for (i, code) in codes.iter_mut().enumerate() {
        let (part, row, column) = (i / 128, i % 128 / 32, i % 32);
        let low = block[part * 64 + row % 2 * 32 + column] >> (row / 2 * 4) & 15;
        let high = block[128 + part * 32 + column] >> (row * 2) & 3;
        *code = (low | high << 4) as i8 - 32;
    }
}
