//! E4M3, the 8-bit float of FP8 weights: sign, 4 exponent bits (bias 7), 3 mantissa bits, no infinity.
//!
//! Source: Micikevicius et al., "FP8 Formats for Deep Learning", arXiv 2209.05433, table 1. The largest value
//! is 448, the smallest positive one 2⁻⁹; the codes 0x7f and 0xff are NaN.

/// The largest finite value.
pub const MAX: f32 = 448.0;

/// Smallest normal value, 2⁻⁶; below it the codes count multiples of 2⁻⁹.
const MIN_NORMAL: f32 = 1.0 / 64.0;

/// Whether the code is one of the two that stand for no number.
pub const fn is_nan(code: u8) -> bool {
    code & 0x7f == 0x7f
}

/// Adding it to a float below 2²² leaves the nearest multiple of 1, ties to even, in the low bits.
const ROUNDER: f32 = 8_388_608.0;

/// The code nearest to `x`, ties to the even code; `x` is clamped to ±448 first and NaN becomes 0x7f.
pub fn encode(x: f32) -> u8 {
    // Both roundings are made and one is taken: without branches the loop over a row is vectorised.
    let sign = (x.to_bits() >> 24) & 0x80;
    let magnitude = x.abs().min(MAX);
    let subnormal = (magnitude * 512.0 + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits());
    let bits = magnitude.to_bits();
    let rounded = bits + 0x7_ffff + ((bits >> 20) & 1);
    let normal = (rounded >> 20).wrapping_sub((127 - 7) << 3);
    let code = sign | if magnitude < MIN_NORMAL { subnormal } else { normal };
    if x.is_nan() { 0x7f } else { code as u8 }
}

/// The value of a code; NaN for 0x7f and 0xff.
pub const fn decode(code: u8) -> f32 {
    VALUES[code as usize]
}

/// The value of every code.
pub static TABLE: [f32; 256] = VALUES;

const VALUES: [f32; 256] = {
    let mut table = [0.0; 256];
    let mut code = 0;
    while code < 256 {
        table[code] = value(code as u8);
        code += 1;
    }
    table
};

const fn value(code: u8) -> f32 {
    let sign = (code as u32 & 0x80) << 24;
    let exponent = (code as u32 >> 3) & 15;
    let mantissa = code as u32 & 7;
    if is_nan(code) {
        f32::NAN
    } else if exponent == 0 {
        let magnitude = mantissa as f32 / 512.0;
        f32::from_bits(magnitude.to_bits() | sign)
    } else {
        f32::from_bits(sign | ((exponent + 127 - 7) << 23) | (mantissa << 20))
    }
}

/// The scale that maps a row's largest magnitude to 448; 1 for a row of zeros.
pub fn scale(row: &[f32]) -> f32 {
    // Magnitudes are compared by their bits, which have the order of the floats: a loop without branches.
    let max_bits = row.iter().fold(0, |max: i32, x| max.max(x.abs().to_bits() as i32));
    let max = f32::from_bits(max_bits as u32);
    let max = if max.is_nan() { row.iter().fold(0.0f32, |m, x| m.max(x.abs())) } else { max };
    let scale = max / MAX;
    if scale > 0.0 { scale } else { 1.0 }
}

/// Encodes one row, appending its codes; returns the row's scale.
pub fn encode_row(row: &[f32], codes: &mut Vec<u8>) -> f32 {
    let scale = scale(row);
    codes.extend(row.iter().map(|x| encode(x / scale)));
    scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_code_survives_a_round_trip() {
        for code in 0..=255u8 {
            if !is_nan(code) {
                assert_eq!(encode(decode(code)), code, "{code:#04x} = {}", decode(code));
            }
        }
    }

    #[test]
    fn the_named_values_of_the_paper() {
        for (code, x) in [(0x00, 0.0), (0x01, 1.0 / 512.0), (0x08, 1.0 / 64.0), (0x38, 1.0), (0x7e, 448.0)] {
            assert_eq!(decode(code), x);
            assert_eq!(decode(code | 0x80), -x);
        }
        assert!(decode(0x7f).is_nan() && decode(0xff).is_nan());
    }

    #[test]
    fn rounds_to_nearest_and_ties_to_even() {
        let finite: Vec<u8> = (0..0x7f).collect();
        for pair in finite.windows(2) {
            let (low, high) = (decode(pair[0]), decode(pair[1]));
            let middle = (low + high) / 2.0;
            let even = if pair[0] & 1 == 0 { pair[0] } else { pair[1] };
            assert_eq!(encode(middle), even, "between {low} and {high}");
            assert_eq!(encode(f32::from_bits(middle.to_bits() - 1)), pair[0]);
            assert_eq!(encode(f32::from_bits(middle.to_bits() + 1)), pair[1]);
            assert_eq!(encode(-middle), even | 0x80);
        }
    }

    #[test]
    fn out_of_range_values_are_clamped() {
        assert_eq!(encode(1e9), 0x7e);
        assert_eq!(encode(f32::NEG_INFINITY), 0xfe);
        assert_eq!(encode(f32::NAN), 0x7f);
        assert_eq!(encode(-0.0), 0x80);
        assert_eq!(encode(1e-30), 0);
    }

    #[test]
    fn a_row_of_zeros_has_scale_one() {
        let mut codes = Vec::new();
        assert_eq!(encode_row(&[0.0; 5], &mut codes), 1.0);
        assert_eq!(codes, [0; 5]);
    }
}
