//! The instruction sets that the kernels are written for, and the one that this machine has.

use super::panels::Panel;
use super::portable::Portable;
use super::quantised::Codes;

/// Rows of a matrix that are computed together.
pub(crate) const N_ROWS: usize = 16;

/// Tokens that are computed together: with [`N_ROWS`] they fill the sixteen registers of AVX2.
pub(crate) const N_TOKENS: usize = 6;

/// Rows of floats that [`Isa::dots`] takes at once.
pub(crate) const N_DOT_ROWS: usize = 4;

/// The kernels that are written by hand for an instruction set; everything else is vectorised by the compiler inside
/// [`Isa::vectorise`].
///
/// What a token's result is does not depend on `M`, the tokens that are computed with it.
pub(crate) trait Isa: Copy + Send + Sync {
    /// Runs `work` in a function that is compiled for the instruction set; what it calls must be `inline(always)`. What the whole
    /// program is built for needs no function of its own.
    #[inline(always)]
    fn vectorise<R>(self, work: impl FnOnce() -> R) -> R {
        work()
    }

    /// `a · b + c`, in one step where the machine has it.
    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }

    /// The products of a panel's 16 rows with each of `M` quantised tokens.
    fn int8_tile<const M: usize>(self, panel: Panel<'_>, x: [Codes<'_>; M]) -> [[f32; N_ROWS]; M];

    /// The products of 4 rows of floats, one after the other in `rows`, with each of `M` tokens: 8 partial sums each.
    fn dots<const M: usize>(self, rows: &[f32], x: [&[f32]; M]) -> [[f32; N_DOT_ROWS]; M];
}

/// An instruction set found on this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Level {
    /// Whatever the compiler makes of plain loops.
    Portable(Portable),
    /// x86-64 with AVX2, FMA and F16C: all since 2013 but the smallest.
    #[cfg(target_arch = "x86_64")]
    Avx2(super::avx2::Avx2),
    /// WebAssembly's 128-bit vectors.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128(super::simd128::Simd128),
}

impl Level {
    /// The best that this machine has.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = super::avx2::Avx2::detect() {
            return Self::Avx2(avx2);
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return Self::Simd128(super::simd128::Simd128);
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        Self::Portable(Portable)
    }

    /// Its name, for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Portable(_) => "portable loops",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "AVX2+FMA",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128(_) => "SIMD128",
        }
    }
}

/// Evaluates an expression with `$isa` bound to the instruction set of a [`Level`].
macro_rules! with_isa {
    ($level:expr, $isa:ident => $run:expr) => {
        match $level {
            $crate::simd::isa::Level::Portable($isa) => $run,
            #[cfg(target_arch = "x86_64")]
            $crate::simd::isa::Level::Avx2($isa) => $run,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            $crate::simd::isa::Level::Simd128($isa) => $run,
        }
    };
}
pub(crate) use with_isa;
