//! The kernel for x86-64 with AVX-512 and VNNI, which multiplies and sums pairs of 16-bit numbers in one instruction.

use std::arch::x86_64::{
    __m512i, _mm256_loadu_si256, _mm512_add_epi32, _mm512_cvtepi8_epi16, _mm512_cvtepi32_ps,
    _mm512_dpwssd_epi32, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_setzero_ps, _mm512_setzero_si512, _mm512_slli_epi16, _mm512_srai_epi16, _mm512_storeu_ps,
};

use super::avx2::{Avx2, dots};
use super::avx512_floats::float_tile;
use super::isa::impl_isa;
use super::layout::{Block, Inputs, Layout, N_ROWS, Panel};
use super::x86::prefetch;

/// Proof that the machine has AVX-512 (F, BW, DQ, VL) and VNNI, with all of [`Avx2`]: only [`Avx512::detect`] makes one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512(Avx2);

impl Avx512 {
    /// Looks at the machine.
    pub(crate) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni");
        Avx2::detect().filter(|_| has).map(Self)
    }
}

impl_isa! {
    isa: Avx512,
    features: "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c",
    layout: Pairs,
    // So many products are under way at once: two are begun in each of the four cycles that one takes. Twelve are no faster for prompts, and
    // what eight and sixteen sequences leave over of them, two and four, waits for itself.
    n_tokens: 8,
    tile: tile,
    float_tile: float_tile,
    dots: dots,
}

/// Two inputs of 16 rows a step: codes widened to 16 bits, times a pair of inputs, summed in 32 bits over a block.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn tile<const N_BITS: usize, const M: usize>(panel: Panel<'_>, x: Inputs<'_>) -> [[f32; N_ROWS]; M] {
    panel.check::<N_BITS>(Layout::Pairs, x, M);
    let mut sums = [_mm512_setzero_ps(); M];
    let mut step = 0;
    for (block_idx, block) in panel.blocks.iter().enumerate() {
        let mut products = [_mm512_setzero_si512(); M];
        let start = if M == 1 {
            // SAFETY: as below.
            unsafe { by_fours::<N_BITS>(panel, x, block, step, &mut products[0]) }
        } else {
            step
        };
        for s in (start..step + block.n_steps).step_by(8 / N_BITS) {
            // SAFETY: the panel was checked to have 32 codes a step, and a word of each token.
            unsafe {
                let codes = panel.codes.as_ptr().add(s * 2 * N_ROWS * N_BITS / 8);
                prefetch(codes);
                for (i, codes) in widened::<N_BITS>(codes).into_iter().take(8 / N_BITS).enumerate() {
                    let inputs = x.words.as_ptr().add((s + i) * x.stride);
                    for (m, product) in products.iter_mut().enumerate() {
                        let input = _mm512_set1_epi32(inputs.add(m).read().cast_signed());
                        *product = _mm512_dpwssd_epi32(*product, codes, input);
                    }
                }
            }
        }
        step += block.n_steps;
        // SAFETY: the panel was checked to have 16 scales a block.
        let scales = unsafe { _mm512_loadu_ps(panel.scales.as_ptr().add(block_idx * N_ROWS)) };
        let x_scales = &x.scales[block_idx * x.stride..][..M];
        for ((sum, product), x_scale) in sums.iter_mut().zip(products).zip(x_scales) {
            let scale = _mm512_mul_ps(scales, _mm512_set1_ps(*x_scale));
            *sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(product), scale, *sum);
        }
    }
    sums.map(|sum| {
        let mut out = [0.0; N_ROWS];
        // SAFETY: `out` has room for 16 floats.
        unsafe { _mm512_storeu_ps(out.as_mut_ptr(), sum) };
        out
    })
}

/// The first steps of a block with one token, four at a time, and which step comes after them: each sum waits for the one before it, so there
/// are four.
///
/// # Safety
/// The panel has 32 codes a step, and `x` a word.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
#[inline]
unsafe fn by_fours<const N_BITS: usize>(
    panel: Panel<'_>,
    x: Inputs<'_>,
    block: &Block,
    first: usize,
    sum: &mut __m512i,
) -> usize {
    let mut sums = [_mm512_setzero_si512(); 4];
    let end = first + block.n_steps - block.n_steps % 4;
    for s in (first..end).step_by(4) {
        // SAFETY: the caller's promise.
        unsafe {
            let codes = panel.codes.as_ptr().add(s * 2 * N_ROWS * N_BITS / 8);
            prefetch(codes);
            if N_BITS == 8 {
                prefetch(codes.add(4 * N_ROWS));
            }
            for i in (0..4).step_by(8 / N_BITS) {
                let codes = widened::<N_BITS>(codes.add(i * 2 * N_ROWS * N_BITS / 8));
                for (i, codes) in (i..).zip(codes.into_iter().take(8 / N_BITS)) {
                    let input = x.words.as_ptr().add((s + i) * x.stride).read();
                    sums[i] = _mm512_dpwssd_epi32(sums[i], codes, _mm512_set1_epi32(input.cast_signed()));
                }
            }
        }
    }
    let [a, b, c, d] = sums;
    *sum = _mm512_add_epi32(_mm512_add_epi32(a, b), _mm512_add_epi32(c, d));
    end
}

/// The codes of 32 bytes as 16-bit numbers: those of a step, twice, or of two.
///
/// # Safety
/// 32 bytes can be read.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
unsafe fn widened<const N_BITS: usize>(codes: *const i8) -> [__m512i; 2] {
    // SAFETY: the caller's promise.
    let bytes = _mm512_cvtepi8_epi16(unsafe { _mm256_loadu_si256(codes.cast()) });
    if N_BITS == 8 {
        return [bytes; 2];
    }
    [_mm512_srai_epi16::<12>(_mm512_slli_epi16::<12>(bytes)), _mm512_srai_epi16::<4>(bytes)]
}
