//! The kernel for x86-64 with AVX-VNNI: that of AVX2, with products and sums in one instruction.

use std::arch::x86_64::{
    _mm256_dpwssd_avx_epi32, _mm256_set1_epi32, _mm256_setzero_ps, _mm256_setzero_si256,
};

use super::avx2::{Avx2, dots, scale, tile_256, widened};
use super::avx2_floats::float_tile;
use super::isa::impl_isa;
use super::layout::{Inputs, Layout, N_ROWS, Panel};
use super::x86::{prefetch, stored};

/// Proof that the machine has AVX-VNNI, with all of [`Avx2`]: only [`AvxVnni::detect`] makes one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AvxVnni(Avx2);

impl AvxVnni {
    /// Looks at the machine.
    pub(crate) fn detect() -> Option<Self> {
        Avx2::detect().filter(|_| is_x86_feature_detected!("avxvnni")).map(Self)
    }
}

impl_isa! {
    isa: AvxVnni,
    features: "avxvnni,avx2,fma,f16c",
    layout: Pairs,
    n_tokens: 6,
    tile: tile,
    float_tile: float_tile,
    dots: dots,
}

tile_256!("avxvnni,avx2,fma,f16c", _mm256_dpwssd_avx_epi32);
