//! The kernel for matrices of floats for x86-64 with AVX2, FMA and F16C: a column of 16 numbers is two vectors.

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm_loadu_si128, _mm256_add_ps, _mm256_and_si256, _mm256_castsi256_ps,
    _mm256_castsi256_si128, _mm256_cvtepi8_epi16, _mm256_cvtepu16_epi32, _mm256_cvtph_ps,
    _mm256_extracti128_si256, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_set1_epi16,
    _mm256_set1_ps, _mm256_setzero_ps, _mm256_slli_epi16, _mm256_slli_epi32,
};

use super::floats::{E4M3_OF_F16, F16_BITS, Float, FloatInputs, FloatPanel, Format, SPAN};
use super::layout::N_ROWS;
use super::x86::{prefetch, stored};

/// Tokens whose sums fill the registers.
const N_TOGETHER: usize = 3;

/// The products of the panels' 16 rows with each of the first `M` tokens, three tokens at a time.
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn float_tile<F: Format, const M: usize, const U: usize>(
    panels: [FloatPanel<'_>; U],
    x: FloatInputs<'_>,
) -> [[[f32; N_ROWS]; M]; U] {
    let mut out = [[[0.0; N_ROWS]; M]; U];
    for (out, panel) in out.iter_mut().zip(panels) {
        panel.check::<F>(x, M);
        let mut m = 0;
        // SAFETY: the panel and the inputs of `M` tokens were checked.
        unsafe {
            while m + N_TOGETHER <= M {
                out[m..m + N_TOGETHER].copy_from_slice(&some::<F, N_TOGETHER>(panel, x, m));
                m += N_TOGETHER;
            }
            if M % N_TOGETHER == 2 {
                out[m..].copy_from_slice(&some::<F, 2>(panel, x, m));
            }
            if M % N_TOGETHER == 1 {
                out[m..].copy_from_slice(&some::<F, 1>(panel, x, m));
            }
        }
    }
    out
}

/// The products with the tokens from `first_token` on.
///
/// # Safety
/// The panel has its columns, and `x` the inputs of the tokens.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
unsafe fn some<F: Format, const M: usize>(
    panel: FloatPanel<'_>,
    x: FloatInputs<'_>,
    first_token: usize,
) -> [[f32; N_ROWS]; M] {
    let n_bytes = N_ROWS * F::FLOAT.n_bytes();
    let mut totals = [[_mm256_setzero_ps(); 2]; M];
    for first in (0..panel.n_columns).step_by(SPAN) {
        let end = panel.n_columns.min(first + SPAN);
        let mut sums = [[[_mm256_setzero_ps(); 2]; 2]; M];
        let mut column = first;
        while column + 2 <= end {
            // SAFETY: the caller's promise.
            unsafe {
                if M == 1 {
                    prefetch(panel.codes.as_ptr().add(column * n_bytes).cast());
                }
                for odd in 0..2 {
                    let weights = one::<F>(panel.codes.as_ptr().add((column + odd) * n_bytes));
                    let inputs = x.values.as_ptr().add((column + odd) * x.stride + first_token);
                    for (m, sums) in sums.iter_mut().enumerate() {
                        let input = _mm256_set1_ps(inputs.add(m).read());
                        sums[odd][0] = _mm256_fmadd_ps(weights[0], input, sums[odd][0]);
                        sums[odd][1] = _mm256_fmadd_ps(weights[1], input, sums[odd][1]);
                    }
                }
            }
            column += 2;
        }
        if column < end {
            // SAFETY: the caller's promise.
            unsafe {
                let weights = one::<F>(panel.codes.as_ptr().add(column * n_bytes));
                let inputs = x.values.as_ptr().add(column * x.stride + first_token);
                for (m, [sums, _]) in sums.iter_mut().enumerate() {
                    let input = _mm256_set1_ps(inputs.add(m).read());
                    sums[0] = _mm256_fmadd_ps(weights[0], input, sums[0]);
                    sums[1] = _mm256_fmadd_ps(weights[1], input, sums[1]);
                }
            }
        }
        for (totals, [even, odd]) in totals.iter_mut().zip(sums) {
            totals[0] = _mm256_add_ps(totals[0], _mm256_add_ps(even[0], odd[0]));
            totals[1] = _mm256_add_ps(totals[1], _mm256_add_ps(even[1], odd[1]));
        }
    }
    let factor = _mm256_set1_ps(if F::FLOAT == Float::E4M3 { E4M3_OF_F16 } else { 1.0 });
    totals.map(|[low, high]| stored([_mm256_mul_ps(low, factor), _mm256_mul_ps(high, factor)]))
}

/// One column.
///
/// # Safety
/// 16 numbers can be read.
#[target_feature(enable = "avx2,f16c")]
#[inline]
unsafe fn one<F: Format>(codes: *const u8) -> [__m256; 2] {
    // SAFETY: the caller's promise.
    unsafe {
        match F::FLOAT {
            Float::E4M3 => {
                let words =
                    _mm256_slli_epi16::<7>(_mm256_cvtepi8_epi16(_mm_loadu_si128(codes.cast::<__m128i>())));
                let halves: __m256i = _mm256_and_si256(words, _mm256_set1_epi16(F16_BITS));
                let high = _mm256_extracti128_si256::<1>(halves);
                [_mm256_cvtph_ps(_mm256_castsi256_si128(halves)), _mm256_cvtph_ps(high)]
            }
            Float::F16 => eights(codes).map(|eight| _mm256_cvtph_ps(eight)),
            Float::BF16 => eights(codes)
                .map(|eight| _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(eight)))),
            Float::F32 => [_mm256_loadu_ps(codes.cast()), _mm256_loadu_ps(codes.cast::<f32>().add(8))],
        }
    }
}

/// Two times eight numbers of 16 bits.
///
/// # Safety
/// 32 bytes can be read.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn eights(codes: *const u8) -> [__m128i; 2] {
    let codes = codes.cast::<__m128i>();
    // SAFETY: the caller's promise.
    unsafe { [_mm_loadu_si128(codes), _mm_loadu_si128(codes.add(1))] }
}
