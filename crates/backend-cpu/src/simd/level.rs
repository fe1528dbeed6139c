//! The instruction sets that this machine has.

use super::isa::{Isa, Work};
use super::layout::Layout;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use super::portable::Portable;

/// An instruction set found on this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Level {
    /// x86-64 with AVX-512 and VNNI: servers since 2019, AMD's desktops since 2022.
    #[cfg(target_arch = "x86_64")]
    Avx512(super::avx512::Avx512),
    /// x86-64 with AVX-VNNI: Intel's desktops and laptops since 2021.
    #[cfg(target_arch = "x86_64")]
    AvxVnni(super::avx_vnni::AvxVnni),
    /// x86-64 with AVX2, FMA and F16C: all since 2013 but the smallest.
    #[cfg(target_arch = "x86_64")]
    Avx2(super::avx2::Avx2),
    /// aarch64 with i8mm: phones and servers since about 2021, Apple's since the M2.
    #[cfg(target_arch = "aarch64")]
    I8mm(super::neon::I8mm),
    /// aarch64 with dotprod: phones since about 2018, all of Apple's with an M in the name.
    #[cfg(target_arch = "aarch64")]
    Dotprod(super::neon::Dotprod),
    /// WebAssembly's 128-bit vectors.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128(super::simd128::Simd128),
    /// Whatever the compiler makes of plain loops.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    Portable(Portable),
}

/// Evaluates an expression with `$isa` bound to the instruction set of a [`Level`].
macro_rules! with_isa {
    ($level:expr, $isa:ident => $run:expr) => {
        match $level {
            #[cfg(target_arch = "x86_64")]
            $crate::simd::level::Level::Avx512($isa) => $run,
            #[cfg(target_arch = "x86_64")]
            $crate::simd::level::Level::AvxVnni($isa) => $run,
            #[cfg(target_arch = "x86_64")]
            $crate::simd::level::Level::Avx2($isa) => $run,
            #[cfg(target_arch = "aarch64")]
            $crate::simd::level::Level::I8mm($isa) => $run,
            #[cfg(target_arch = "aarch64")]
            $crate::simd::level::Level::Dotprod($isa) => $run,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            $crate::simd::level::Level::Simd128($isa) => $run,
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            $crate::simd::level::Level::Portable($isa) => $run,
        }
    };
}
#[cfg(test)]
pub(crate) use with_isa;

impl Level {
    /// All that this machine has, the best first.
    pub(crate) fn all() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let found = [
            super::avx512::Avx512::detect().map(Self::Avx512),
            super::avx_vnni::AvxVnni::detect().map(Self::AvxVnni),
            super::avx2::Avx2::detect().map(Self::Avx2),
            Some(Self::Portable(Portable)),
        ];
        #[cfg(target_arch = "aarch64")]
        let found = [
            super::neon::I8mm::detect().map(Self::I8mm),
            super::neon::Dotprod::detect().map(Self::Dotprod),
            Some(Self::Portable(Portable)),
        ];
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        let found = [Some(Self::Simd128(super::simd128::Simd128))];
        #[cfg(not(any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            all(target_arch = "wasm32", target_feature = "simd128")
        )))]
        let found = [Some(Self::Portable(Portable))];
        found.into_iter().flatten().collect()
    }

    /// Runs `work` with its instructions.
    pub(crate) fn run(self, work: impl Work) {
        with_isa!(self, isa => isa.vectorise(work));
    }

    /// How it reads int8 and int4 matrices.
    pub(crate) fn layout(self) -> Layout {
        fn of<I: Isa>(_: I) -> Layout {
            I::LAYOUT
        }
        with_isa!(self, isa => of(isa))
    }

    /// Tokens that it computes together.
    pub(crate) fn n_tokens(self) -> usize {
        fn of<I: Isa>(_: I) -> usize {
            I::N_TOKENS
        }
        with_isa!(self, isa => of(isa))
    }

    /// Its name, for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "AVX-512 VNNI",
            #[cfg(target_arch = "x86_64")]
            Self::AvxVnni(_) => "AVX-VNNI",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "AVX2+FMA",
            #[cfg(target_arch = "aarch64")]
            Self::I8mm(_) => "NEON i8mm",
            #[cfg(target_arch = "aarch64")]
            Self::Dotprod(_) => "NEON dotprod",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128(_) => "SIMD128",
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Self::Portable(_) => "portable loops",
        }
    }
}
