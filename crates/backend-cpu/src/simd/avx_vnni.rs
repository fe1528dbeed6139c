//! The kernel for x86-64 with AVX-VNNI: that of AVX2, with products and sums in one instruction.

use std::arch::x86_64::{
    _mm256_dpwssd_avx_epi32, _mm256_set1_epi32, _mm256_setzero_ps, _mm256_setzero_si256,
};

use super::avx2::{Avx2, prefetch, scale, stored, tile_256, widened};
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
    const FUSED: bool = true;

    #[inline(always)]
    fn vectorise(self, work: impl Work) {
        // SAFETY: an `AvxVnni` exists only where the machine has the features.
        unsafe { vectorise(self, work) }
    }

    #[inline(always)]
    fn tile<const N_BITS: usize, const M: usize>(
        self,
        panel: Panel<'_>,
        x: Inputs<'_>,
    ) -> [[f32; N_ROWS]; M] {
        // SAFETY: an `AvxVnni` exists only where the machine has the features.
        unsafe { tile::<N_BITS, M>(panel, x) }
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

tile_256!("avxvnni,avx2,fma,f16c", _mm256_dpwssd_avx_epi32);
