//! The kernels for x86-64 with AVX2 and FMA.

use std::arch::x86_64::{
    __m128, __m256, __m256i, _mm_add_ps, _mm_loadu_si128, _mm_storeu_ps, _mm256_add_epi32,
    _mm256_castps256_ps128, _mm256_cvtepi8_epi16, _mm256_cvtepi32_ps, _mm256_extractf128_ps, _mm256_fmadd_ps,
    _mm256_hadd_ps, _mm256_loadu_ps, _mm256_madd_epi16, _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps,
    _mm256_setzero_ps, _mm256_setzero_si256, _mm256_slli_epi16, _mm256_srai_epi16,
};

use super::avx2_floats::float_tile;
use super::isa::{N_DOT_ROWS, impl_isa};
use super::layout::{Inputs, Layout, N_ROWS, Panel};
use super::x86::{prefetch, stored};

/// Proof that the machine has AVX2, FMA and F16C: only [`Avx2::detect`] makes one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// Looks at the machine.
    pub(crate) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        has.then_some(Self(()))
    }
}

impl_isa! {
    isa: Avx2,
    features: "avx2,fma,f16c",
    layout: Pairs,
    n_tokens: 6,
    tile: tile,
    float_tile: float_tile,
    dots: dots,
}

/// Defines the kernel of whole numbers in vectors of 256 bits, given the features that it is compiled for and how it adds the products of 16-bit
/// pairs to sums: a macro, because features are no parameters. It stands beside what it calls in the names of those who use it.
macro_rules! tile_256 {
    ($features:literal, $add:expr) => {
        /// Two inputs of 16 rows a step: codes widened to 16 bits, times a pair of inputs, summed in 32 bits over a block.
        #[target_feature(enable = $features)]
        fn tile<const N_BITS: usize, const M: usize>(panel: Panel<'_>, x: Inputs<'_>) -> [[f32; N_ROWS]; M] {
            panel.check::<N_BITS>(Layout::Pairs, x, M);
            let mut sums = [[_mm256_setzero_ps(); 2]; M];
            let mut step = 0;
            for (block_idx, block) in panel.blocks.iter().enumerate() {
                let mut products = [[_mm256_setzero_si256(); 2]; M];
                for s in (step..step + block.n_steps).step_by(8 / N_BITS) {
                    // SAFETY: the panel was checked to have 32 codes a step, and a word of each token.
                    unsafe {
                        let codes = panel.codes.as_ptr().add(s * 2 * N_ROWS * N_BITS / 8);
                        if M == 1 {
                            prefetch(codes);
                        }
                        let low = widened::<N_BITS>(codes);
                        let high = widened::<N_BITS>(codes.add(N_ROWS));
                        for i in 0..8 / N_BITS {
                            let inputs = x.words.as_ptr().add((s + i) * x.stride);
                            for (m, products) in products.iter_mut().enumerate() {
                                let input = _mm256_set1_epi32(inputs.add(m).read().cast_signed());
                                products[0] = $add(products[0], low[i], input);
                                products[1] = $add(products[1], high[i], input);
                            }
                        }
                    }
                }
                step += block.n_steps;
                scale(panel, x, block_idx, &products, &mut sums);
            }
            sums.map(|sums| stored(sums))
        }
    };
}
pub(super) use tile_256;

tile_256!("avx2,fma,f16c", added);

/// Adds the products of pairs to sums.
#[target_feature(enable = "avx2")]
#[inline]
fn added(sums: __m256i, codes: __m256i, input: __m256i) -> __m256i {
    _mm256_add_epi32(sums, _mm256_madd_epi16(codes, input))
}

/// Adds the products of a block to the sums, scaled.
#[target_feature(enable = "avx2,fma,f16c")]
#[inline]
pub(super) fn scale<const M: usize>(
    panel: Panel<'_>,
    x: Inputs<'_>,
    block_idx: usize,
    products: &[[__m256i; 2]; M],
    sums: &mut [[__m256; 2]; M],
) {
    let (scales, _) = panel.scales[block_idx * N_ROWS..][..N_ROWS].as_chunks::<8>();
    let x_scales = &x.scales[block_idx * x.stride..][..M];
    for ((sums, products), x_scale) in sums.iter_mut().zip(products).zip(x_scales) {
        let x_scale = _mm256_set1_ps(*x_scale);
        for ((sum, product), scale) in sums.iter_mut().zip(products).zip(scales) {
            // SAFETY: a chunk is eight floats.
            let scale = unsafe { _mm256_loadu_ps(scale.as_ptr()) };
            *sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(*product), _mm256_mul_ps(scale, x_scale), *sum);
        }
    }
}

/// The codes of 16 bytes as 16-bit numbers: those of a step, twice, or of two.
///
/// # Safety
/// 16 bytes can be read.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) unsafe fn widened<const N_BITS: usize>(codes: *const i8) -> [__m256i; 2] {
    // SAFETY: the caller's promise.
    let bytes = _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(codes.cast()) });
    if N_BITS == 8 {
        return [bytes; 2];
    }
    [_mm256_srai_epi16::<12>(_mm256_slli_epi16::<12>(bytes)), _mm256_srai_epi16::<4>(bytes)]
}

#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn dots<const M: usize>(rows: &[f32], x: [&[f32]; M]) -> [[f32; N_DOT_ROWS]; M] {
    let n = rows.len() / N_DOT_ROWS;
    for x in &x {
        assert!(x.len() == n);
    }
    let whole = n - n % 8;
    let mut sums = [[_mm256_setzero_ps(); N_DOT_ROWS]; M];
    for i in (0..whole).step_by(8) {
        // SAFETY: i + 8 <= n; a token has n floats, and there are 4 rows of n.
        unsafe {
            let weights: [__m256; N_DOT_ROWS] =
                std::array::from_fn(|r| _mm256_loadu_ps(rows.as_ptr().add(r * n + i)));
            for (sums, x) in sums.iter_mut().zip(&x) {
                let x = _mm256_loadu_ps(x.as_ptr().add(i));
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = _mm256_fmadd_ps(weight, x, *sum);
                }
            }
        }
    }
    let mut out = sums.map(|sums| reduced(sums));
    for (out, x) in out.iter_mut().zip(&x) {
        for (r, out) in out.iter_mut().enumerate() {
            let rest = rows[r * n + whole..(r + 1) * n].iter().zip(&x[whole..]);
            *out += rest.map(|(a, b)| a * b).sum::<f32>();
        }
    }
    out
}

/// The sums of four vectors.
#[target_feature(enable = "avx2")]
#[inline]
fn reduced([a, b, c, d]: [__m256; N_DOT_ROWS]) -> [f32; N_DOT_ROWS] {
    let halves = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    let sums: __m128 = _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps::<1>(halves));
    let mut out = [0.0; N_DOT_ROWS];
    // SAFETY: `out` has room for 4 floats.
    unsafe { _mm_storeu_ps(out.as_mut_ptr(), sums) };
    out
}
