//! Symmetric int8: each group of columns of a row has one scale, value = code · scale, codes in −127…127.

/// The largest code; −128 is never written, so that negation is exact.
pub const MAX: f32 = 127.0;

/// Encodes one row in groups of `group` columns (the last may be shorter), appending codes and scales.
///
/// The scale is the group's largest magnitude / 127, or 1 for a group of zeros; codes are rounded half to even.
pub fn encode_row(row: &[f32], group: usize, codes: &mut Vec<i8>, scales: &mut Vec<f32>) {
    for chunk in row.chunks(group) {
        let max = chunk.iter().fold(0.0f32, |m, x| m.max(x.abs()));
        let scale = max / MAX;
        let scale = if scale > 0.0 { scale } else { 1.0 };
        codes.extend(chunk.iter().map(|x| (x / scale).round_ties_even().clamp(-MAX, MAX) as i8));
        scales.push(scale);
    }
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
