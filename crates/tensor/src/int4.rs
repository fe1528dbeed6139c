//! Symmetric int4: each group of columns of a row has one scale, value = code · scale, codes in −8…7, two a byte.
//!
//! The code of an even column is the lower half of its byte, and each half is the code + 8: the order and the offset of
//! compressed-tensors' `pack-quantized`, whose words these bytes are. A row begins with a byte of its own.

/// Bytes of a row of codes.
pub const fn n_row_bytes(n_columns: usize) -> usize {
    n_columns.div_ceil(2)
}

/// What a code is stored as more than it is.
const OFFSET: i8 = 8;

/// A byte of two codes that are 0: what pads rows.
pub const ZEROS: u8 = 0x88;

/// Adding it to a float of magnitude below 2²² leaves the nearest whole number, ties to even, and [`OFFSET`] in the low bits.
const ROUNDER: f32 = 12_582_912.0 + OFFSET as f32;

/// Encodes one row in groups of `group` columns (the last may be shorter), appending bytes and scales.
///
/// The value of the largest magnitude becomes −8, so a group's scale has the opposite sign: that uses all sixteen codes, where
/// scales above 0 would leave one of two ends to half a step. A group of zeros has the scale 1. Others are rounded to the nearest.
/// Source: `quantize_row_q4_0` of ggml.
pub fn encode_row(row: &[f32], group: usize, codes: &mut Vec<u8>, scales: &mut Vec<f32>) {
    let mut stored = Vec::with_capacity(row.len() + 1);
    for chunk in row.chunks(group) {
        let (min, max) = chunk.iter().fold((0.0f32, 0.0f32), |(min, max), x| (x.min(min), x.max(max)));
        let largest = if -min > max { min } else { max };
        let scale = if largest == 0.0 { 1.0 } else { largest / -8.0 };
        // A scale that is no normal number may be 0: then every code is one of the ends.
        let code = |x: &f32| (x / scale).clamp(-8.0, 7.0);
        // Integers, because rounding a float is a call on machines without SSE4.1.
        stored.extend(chunk.iter().map(|x| (code(x) + ROUNDER).to_bits() as u8 & 15));
        scales.push(scale);
    }
    if !row.len().is_multiple_of(2) {
        stored.push(OFFSET as u8);
    }
    codes.extend(stored.as_chunks::<2>().0.iter().map(|[even, odd]| even | odd << 4));
}

/// The codes of one row, and of what pads it.
pub fn codes(bytes: &[u8]) -> impl Iterator<Item = i8> {
    bytes.iter().flat_map(|byte| [byte & 15, byte >> 4]).map(|code| code as i8 - OFFSET)
}

/// Decodes one row: `out[i] = codes[i] · scales[i / group]`.
pub fn decode_row(bytes: &[u8], scales: &[f32], group: usize, out: &mut [f32]) {
    let mut codes = codes(bytes);
    for (out, scale) in out.chunks_mut(group).zip(scales) {
        for (out, code) in out.iter_mut().zip(&mut codes) {
            *out = f32::from(code) * scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(row: &[f32], group: usize) -> (Vec<u8>, Vec<f32>, Vec<f32>) {
        let (mut codes, mut scales) = (Vec::new(), Vec::new());
        encode_row(row, group, &mut codes, &mut scales);
        let mut back = vec![0.0; row.len()];
        decode_row(&codes, &scales, group, &mut back);
        (codes, scales, back)
    }

    #[test]
    fn the_error_is_half_a_step_and_a_whole_one_at_the_far_end() {
        for n in [1usize, 31, 32, 33, 129] {
            let row: Vec<f32> = (0..n).map(|i| ((i * 37 % 101) as f32 - 50.0) / 17.0).collect();
            let (codes, scales, back) = there_and_back(&row, 32);
            assert_eq!((codes.len(), scales.len()), (n.div_ceil(2), n.div_ceil(32)));
            for (i, (x, y)) in row.iter().zip(&back).enumerate() {
                let step = scales[i / 32].abs();
                let most = if x / scales[i / 32] > 7.5 { 1.000_01 } else { 0.500_01 };
                assert!((x - y).abs() <= step * most, "{x} became {y}");
            }
        }
    }

    #[test]
    fn the_largest_magnitude_of_a_group_is_kept_exactly() {
        let (codes, scales, back) = there_and_back(&[0.5, -4.0, 0.0, 3.5, 2.0], 4);
        assert_eq!((scales, back), (vec![0.5, -0.25], vec![0.5, -4.0, 0.0, 3.5, 2.0]));
        assert_eq!(codes, [0x09, 0xf8, 0x80]);
    }

    #[test]
    fn zeros_and_the_smallest_numbers_stay_finite() {
        assert_eq!(there_and_back(&[0.0; 3], 2).2, [0.0; 3]);
        let tiny = f32::from_bits(1);
        assert!(there_and_back(&[tiny, -tiny], 2).2.iter().all(|x| x.abs() <= 16.0 * tiny));
    }
}
