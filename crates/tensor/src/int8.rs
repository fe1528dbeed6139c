//! Symmetric int8: each group of columns of a row has one scale, value = code · scale, codes in −127…127.

/// The largest code; −128 is never written, so that negation is exact.
pub const MAX: f32 = 127.0;

/// Adding it to a float of magnitude below 2²² leaves the nearest whole number, ties to even, in the low bits.
const ROUNDER: f32 = 12_582_912.0;

/// Encodes one row in groups of `group` columns (the last may be shorter), appending codes and scales.
///
/// The scale is the group's largest magnitude / 127, or 1 for a group of zeros; codes are rounded half to even.
/// NaN becomes 0.
pub fn encode_row(row: &[f32], group: usize, codes: &mut Vec<i8>, scales: &mut Vec<f32>) {
    for chunk in row.chunks(group) {
        // Magnitudes are compared by their bits, which have the order of the floats: a loop without branches.
        let max_bits = chunk.iter().fold(0, |max: i32, x| max.max(x.abs().to_bits() as i32));
        let max = f32::from_bits(max_bits as u32);
        if max.is_finite() {
            // |x / scale| is below 191 even where the scale is subnormal, so whole numbers fit the low bits.
            // Integers, because rounding a float is a call on machines without SSE4.1.
            let scale = scale(max);
            let code = |x: &f32| (x / scale + ROUNDER).to_bits() as i32 - ROUNDER.to_bits() as i32;
            codes.extend(chunk.iter().map(|x| code(x).clamp(-127, 127) as i8));
            scales.push(scale);
        } else {
            let scale = scale(chunk.iter().fold(0.0f32, |m, x| m.max(x.abs())));
            codes.extend(chunk.iter().map(|x| (x / scale).round_ties_even().clamp(-MAX, MAX) as i8));
            scales.push(scale);
        }
    }
}

/// The scale of a group with this largest magnitude.
fn scale(max: f32) -> f32 {
    let scale = max / MAX;
    if scale > 0.0 { scale } else { 1.0 }
}

/// Decodes one row: `out[i] = codes[i] · scales[i / group]`.
pub fn decode_row(codes: &[i8], scales: &[f32], group: usize, out: &mut [f32]) {
    for ((codes, out), scale) in codes.chunks(group).zip(out.chunks_mut(group)).zip(scales) {
        for (code, out) in codes.iter().zip(out) {
            *out = f32::from(*code) * scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_at_most_half_a_step() {
        for n in [1usize, 31, 64, 65, 129] {
            let row: Vec<f32> = (0..n).map(|i| ((i * 37 % 101) as f32 - 50.0) / 17.0).collect();
            let (mut codes, mut scales) = (Vec::new(), Vec::new());
            encode_row(&row, 64, &mut codes, &mut scales);
            assert_eq!((codes.len(), scales.len()), (n, n.div_ceil(64)));
            let mut back = vec![0.0; n];
            decode_row(&codes, &scales, 64, &mut back);
            for (i, (x, y)) in row.iter().zip(&back).enumerate() {
                assert!((x - y).abs() <= scales[i / 64] * 0.500_01, "{x} became {y}");
            }
        }
    }

    #[test]
    fn the_largest_magnitude_of_a_group_is_kept_exactly() {
        let (mut codes, mut scales) = (Vec::new(), Vec::new());
        encode_row(&[0.5, -2.54, 0.0], 64, &mut codes, &mut scales);
        assert_eq!(codes, [25, -127, 0]);
    }

    #[test]
    fn zeros_stay_zeros() {
        let (mut codes, mut scales) = (Vec::new(), Vec::new());
        encode_row(&[0.0; 3], 2, &mut codes, &mut scales);
        assert_eq!((codes, scales), (vec![0; 3], vec![1.0; 2]));
    }
}
