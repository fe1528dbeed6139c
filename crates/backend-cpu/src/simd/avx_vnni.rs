//! The kernel for x86-64 with AVX-VNNI: that of AVX2, with products and sums in one instruction.

use std::arch::x86_64::{
    _mm256_dpwssd_avx_epi32, _mm256_set1_epi32, _mm256_setzero_ps, _mm256_setzero_si256,
};

use super::avx2::{Avx2, prefetch, scale, stored, widened};
use super::isa::{Isa, N_DOT_ROWS, N_ROWS, Work};
use super::panels::{Layout, Panel};
use super::quantised::Inputs;

/// Proof that the machine has AVX-VNNI, with all of [`Avx2`]: only [`AvxVnni::detect`] makes one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AvxVnni(Avx2);

impl AvxVnni {
    /// Looks at the machine.
    pub(crate) fn detect() -> Option<Self> {
        Avx2::detect().filter(|_| is_x86_feature_detected!("avxvnni")).map(Self)
    }
}

impl Isa for AvxVnni {
    const LAYOUT: Layout = Layout::Pairs;

    #[inline(always)]
    fn vectorise(self, work: impl Work) {
        // SAFETY: an `AvxVnni` exists only where the machine has the features.
        unsafe { vectorise(self, work) }
    }

    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn int8_tile<const M: usize>(self, panel: Panel<'_>, x: Inputs<'_>) -> [[f32; N_ROWS]; M] {
        // SAFETY: an `AvxVnni` exists only where the machine has the features.
        unsafe { int8_tile(panel, x) }
    }

    #[inline(always)]
    fn dots<const M: usize>(self, rows: &[f32], x: [&[f32]; M]) -> [[f32; N_DOT_ROWS]; M] {
        self.0.dots(rows, x)
    }
}

#[target_feature(enable = "avxvnni,avx2,fma,f16c")]
fn vectorise(isa: AvxVnni, work: impl Work) {
    work.run(isa);
}

/// Two inputs of 16 rows a step: codes widened to 16 bits, times a pair of inputs, summed in 32 bits over a block.
#[target_feature(enable = "avxvnni,avx2,fma,f16c")]
fn int8_tile<const M: usize>(panel: Panel<'_>, x: Inputs<'_>) -> [[f32; N_ROWS]; M] {
    panel.check(Layout::Pairs, x, M);
    let mut sums = [[_mm256_setzero_ps(); 2]; M];
    let mut step = 0;
    for (block_idx, block) in panel.blocks.iter().enumerate() {
        let mut products = [[_mm256_setzero_si256(); 2]; M];
        for s in step..step + block.n_steps {
            // SAFETY: the panel was checked to have 32 codes a step, and a word of each token.
            unsafe {
                let codes = panel.codes.as_ptr().add(s * 2 * N_ROWS);
                if M == 1 {
                    prefetch(codes);
                }
                let low = widened(codes);
                let high = widened(codes.add(N_ROWS));
                let inputs = x.words.as_ptr().add(s * x.stride);
                for (m, products) in products.iter_mut().enumerate() {
                    let input = _mm256_set1_epi32(inputs.add(m).read().cast_signed());
                    products[0] = _mm256_dpwssd_avx_epi32(products[0], low, input);
                    products[1] = _mm256_dpwssd_avx_epi32(products[1], high, input);
                }
            }
        }
        step += block.n_steps;
        scale(panel, x, block_idx, &products, &mut sums);
    }
    sums.map(|sums| stored(sums))
}
