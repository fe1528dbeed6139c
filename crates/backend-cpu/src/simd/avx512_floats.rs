//! The kernel for matrices of floats for x86-64 with AVX-512: a column of 16 numbers is one vector.

use std::arch::x86_64::{
    __m128i, __m256i, __m512, __m512i, _mm_loadu_si128, _mm256_and_si256, _mm256_cvtepi8_epi16,
    _mm256_loadu_si256, _mm256_set1_epi16, _mm256_slli_epi16, _mm512_add_ps, _mm512_and_si512,
    _mm512_castsi512_ps, _mm512_castsi512_si256, _mm512_cvtepi8_epi16, _mm512_cvtepu16_epi32,
    _mm512_cvtph_ps, _mm512_extracti64x4_epi64, _mm512_fmadd_ps, _mm512_loadu_si512, _mm512_mul_ps,
    _mm512_set1_epi16, _mm512_set1_ps, _mm512_setzero_ps, _mm512_slli_epi16, _mm512_slli_epi32,
    _mm512_storeu_ps,
};

use super::floats::{E4M3_OF_F16, F16_BITS, Float, FloatInputs, FloatPanel, Format, SPAN};
use super::layout::N_ROWS;
use super::x86::prefetch;

/// Tokens whose sums, with those of two panels, fill the registers.
const N_TOGETHER: usize = 6;

/// The products of the panels' 16 rows with each of the first `M` tokens.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
pub(super) fn float_tile<F: Format, const M: usize, const U: usize>(
    panels: [FloatPanel<'_>; U],
    x: FloatInputs<'_>,
) -> [[[f32; N_ROWS]; M]; U] {
    for panel in &panels {
        panel.check::<F>(x, M);
    }
    let n_columns = panels[0].n_columns;
    assert!(panels.iter().all(|panel| panel.n_columns == n_columns));
    let codes = panels.map(|panel| panel.codes.as_ptr());
    // SAFETY: the panels and the inputs of `M` tokens were checked.
    unsafe {
        if M <= N_TOGETHER {
            return some::<F, M, U>(codes, n_columns, x.values.as_ptr(), x.stride);
        }
        let mut out = [[[0.0; N_ROWS]; M]; U];
        for first in (0..M).step_by(4) {
            let tiles = some::<F, 4, U>(codes, n_columns, x.values.as_ptr().add(first), x.stride);
            for (out, tiles) in out.iter_mut().zip(tiles) {
                out[first..first + 4].copy_from_slice(&tiles);
            }
        }
        out
    }
}

/// The products of panels with tokens, side by side from `x` on.
///
/// # Safety
/// The panels have so many columns, and `x` the inputs of the tokens for each.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
#[inline]
unsafe fn some<F: Format, const M: usize, const U: usize>(
    codes: [*const u8; U],
    n_columns: usize,
    x: *const f32,
    stride: usize,
) -> [[[f32; N_ROWS]; M]; U] {
    let n_bytes = N_ROWS * F::FLOAT.n_bytes();
    let mut totals = [[_mm512_setzero_ps(); M]; U];
    for first in (0..n_columns).step_by(SPAN) {
        let end = n_columns.min(first + SPAN);
        let pairs = end - (end - first) % 2;
        let mut sums = [[[_mm512_setzero_ps(); 2]; M]; U];
        for column in (first..pairs).step_by(2) {
            // SAFETY: the caller's promise, for the column and the next.
            unsafe {
                let inputs = x.add(column * stride);
                let mut columns = [[_mm512_setzero_ps(); 2]; U];
                for (columns, codes) in columns.iter_mut().zip(codes) {
                    let codes = codes.add(column * n_bytes);
                    if M == 1 {
                        prefetch(codes.cast());
                    }
                    *columns = two::<F>(codes);
                }
                for odd in 0..2 {
                    for m in 0..M {
                        let input = _mm512_set1_ps(inputs.add(odd * stride + m).read());
                        for (sums, columns) in sums.iter_mut().zip(&columns) {
                            sums[m][odd] = _mm512_fmadd_ps(columns[odd], input, sums[m][odd]);
                        }
                    }
                }
            }
        }
        if pairs < end {
            // SAFETY: as above, for the last column.
            unsafe {
                let inputs = x.add(pairs * stride);
                for (sums, codes) in sums.iter_mut().zip(codes) {
                    let weights = one::<F>(codes.add(pairs * n_bytes));
                    for (m, sums) in sums.iter_mut().enumerate() {
                        sums[0] = _mm512_fmadd_ps(weights, _mm512_set1_ps(inputs.add(m).read()), sums[0]);
                    }
                }
            }
        }
        for (totals, sums) in totals.iter_mut().zip(sums) {
            for (total, [even, odd]) in totals.iter_mut().zip(sums) {
                *total = _mm512_add_ps(*total, _mm512_add_ps(even, odd));
            }
        }
    }
    let mut out = [[[0.0; N_ROWS]; M]; U];
    for (out, totals) in out.iter_mut().zip(totals) {
        for (out, total) in out.iter_mut().zip(totals) {
            *out = stored::<F>(total);
        }
    }
    out
}

/// Two columns.
///
/// # Safety
/// 32 numbers can be read.
#[target_feature(enable = "avx512f,avx512bw,avx512dq")]
#[inline]
unsafe fn two<F: Format>(codes: *const u8) -> [__m512; 2] {
    // SAFETY: the caller's promise.
    unsafe {
        match F::FLOAT {
            Float::E4M3 => {
                let halves = halves(_mm512_cvtepi8_epi16(_mm256_loadu_si256(codes.cast())));
                let next = _mm512_extracti64x4_epi64::<1>(halves);
                [_mm512_cvtph_ps(_mm512_castsi512_si256(halves)), _mm512_cvtph_ps(next)]
            }
            _ => [one::<F>(codes), one::<F>(codes.add(N_ROWS * F::FLOAT.n_bytes()))],
        }
    }
}

/// One column.
///
/// # Safety
/// 16 numbers can be read.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
#[inline]
unsafe fn one<F: Format>(codes: *const u8) -> __m512 {
    // SAFETY: the caller's promise.
    unsafe {
        match F::FLOAT {
            Float::E4M3 => {
                let words =
                    _mm256_slli_epi16::<7>(_mm256_cvtepi8_epi16(_mm_loadu_si128(codes.cast::<__m128i>())));
                _mm512_cvtph_ps(_mm256_and_si256(words, _mm256_set1_epi16(F16_BITS)))
            }
            Float::F16 => _mm512_cvtph_ps(_mm256_loadu_si256(codes.cast::<__m256i>())),
            Float::BF16 => {
                let words = _mm512_cvtepu16_epi32(_mm256_loadu_si256(codes.cast::<__m256i>()));
                _mm512_castsi512_ps(_mm512_slli_epi32::<16>(words))
            }
            Float::F32 => _mm512_castsi512_ps(_mm512_loadu_si512(codes.cast::<__m512i>())),
        }
    }
}

/// E4M3 codes that were widened with their signs, as f16.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn halves(words: __m512i) -> __m512i {
    _mm512_and_si512(_mm512_slli_epi16::<7>(words), _mm512_set1_epi16(F16_BITS))
}

#[target_feature(enable = "avx512f")]
#[inline]
fn stored<F: Format>(total: __m512) -> [f32; N_ROWS] {
    let factor = if F::FLOAT == Float::E4M3 { E4M3_OF_F16 } else { 1.0 };
    let mut out = [0.0; N_ROWS];
    // SAFETY: `out` has room for 16 floats.
    unsafe { _mm512_storeu_ps(out.as_mut_ptr(), _mm512_mul_ps(total, _mm512_set1_ps(factor))) };
    out
}
