//! Functions of one number or two rows, written so that a loop over them is vectorised.

/// Adding it to a float of magnitude below 2²² leaves the nearest whole number, ties to even, in the low bits.
pub(crate) const ROUNDER: f32 = 12_582_912.0;

/// Where eˣ leaves the normal numbers.
const LOW: f32 = -87.3;
const HIGH: f32 = 88.3;

/// ln 2 in two parts; the first has few enough bits that its multiples up to 128 are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// eˣ with a relative error below 2·10⁻⁷ (checked in the tests); x is clamped to −87.3…88.3, and NaN stays NaN.
///
/// Source: the polynomial of the Cephes library's `expf` (Moshier, 1992).
#[inline(always)]
#[expect(clippy::excessive_precision, reason = "the constants as published")]
pub(crate) fn exp(x: f32) -> f32 {
    // Comparisons that are false for NaN, so that NaN goes through.
    let x = if x < LOW { LOW } else { x };
    let x = if x > HIGH { HIGH } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let p = 1.987_569_150_0e-4;
    let p = p * r + 1.398_199_950_7e-3;
    let p = p * r + 8.333_451_907_3e-3;
    let p = p * r + 4.166_579_589_4e-2;
    let p = p * r + 1.666_666_545_9e-1;
    let p = p * r + 5.000_000_120_1e-1;
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
    (p * r * r + r + 1.0) * power
}

/// `z / (1 + e⁻ᶻ)`
#[inline(always)]
pub(crate) fn silu(z: f32) -> f32 {
    z / (1.0 + exp(-z))
}

/// `1 / (1 + e⁻ᶻ)`
#[inline(always)]
pub(crate) fn sigmoid(z: f32) -> f32 {
    1.0 / (1.0 + exp(-z))
}

/// `tanh z = 1 − 2 / (e²ᶻ + 1)`, within 2·10⁻⁷ (checked in the tests).
#[inline(always)]
pub(crate) fn tanh(z: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * z) + 1.0)
}

/// `cap · tanh(z / cap)`
#[inline(always)]
pub(crate) fn softcap(z: f32, cap: f32) -> f32 {
    cap * tanh(z / cap)
}

/// `z / 2 · (1 + tanh(√(2/π) · (z + 0.044715 z³)))`, in which `(1 + tanh u) / 2 = 1 / (1 + e⁻²ᵘ)`.
#[inline(always)]
pub(crate) fn gelu(z: f32) -> f32 {
    const TWICE: f32 = 1.595_769; // 2 √(2/π)
    z / (1.0 + exp(-TWICE * (z + 0.044_715 * z * z * z)))
}

/// The sum of products, in 8 partial sums.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// `Σ x`, in 16 partial sums.
#[inline(always)]
pub(crate) fn sum(x: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let (chunks, rest) = x.as_chunks::<16>();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += x;
    }
    sums.iter().sum()
}

/// `Σ x²`, in 16 partial sums.
#[inline(always)]
pub(crate) fn square_sum(x: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let (chunks, rest) = x.as_chunks::<16>();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x * x;
        }
    }
    for (sum, x) in sums.iter_mut().zip(rest) {
        *sum += x * x;
    }
    sums.iter().sum()
}

/// `out = weight · x / √(mean(x²) + eps)`
#[inline(always)]
pub(crate) fn rms_norm(x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    let inverse = 1.0 / (square_sum(x) / x.len() as f32 + eps).sqrt();
    for ((out, x), w) in out.iter_mut().zip(x).zip(weight) {
        *out = w * (x * inverse);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bound that the docstring of [`exp`] promises.
    const EXP_ERROR: f64 = 2e-7;

    #[test]
    fn exp_is_within_its_bound_over_its_range() {
        let mut worst = 0.0f64;
        for i in 0..2_000_000 {
            let x = LOW + (HIGH - LOW) * (i as f32 / 2_000_000.0);
            let truth = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) / truth - 1.0).abs());
        }
        assert!(worst <= EXP_ERROR, "{worst:e}");
        assert_eq!(exp(0.0), 1.0);
    }

    #[test]
    fn tanh_and_gelu_are_close_over_their_range() {
        let (mut tanh_error, mut gelu_error) = (0.0f64, 0.0f64);
        for i in -200_000..200_000 {
            let z = i as f32 / 10_000.0;
            let wide = f64::from(z);
            tanh_error = tanh_error.max((f64::from(tanh(z)) - wide.tanh()).abs());
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (wide + 0.044715 * wide.powi(3));
            let truth = wide / 2.0 * (1.0 + inner.tanh());
            gelu_error = gelu_error.max((f64::from(gelu(z)) - truth).abs() / wide.abs().max(1.0));
        }
        assert!(tanh_error <= 2e-7 && gelu_error <= 1e-6, "{tanh_error:e} {gelu_error:e}");
        assert_eq!((tanh(1e9), tanh(-1e9), softcap(1e9, 50.0)), (1.0, -1.0, 50.0));
        assert!(gelu(-1e4).abs() < 1e-30 && gelu(1e4) == 1e4 && tanh(f32::NAN).is_nan());
    }

    #[test]
    fn exp_of_extremes_is_finite_and_nan_stays_nan() {
        assert!(exp(f32::NEG_INFINITY) < 1.3e-38);
        assert!(exp(1e9).is_finite());
        assert!(exp(f32::NAN).is_nan() && silu(f32::NAN).is_nan());
        assert!(silu(-200.0).abs() < 1e-35);
        assert_eq!(silu(100.0), 100.0);
    }
}
