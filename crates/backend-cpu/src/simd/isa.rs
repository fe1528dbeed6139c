//! What an instruction set brings to the kernels, and work that is compiled for it.

use super::floats::{self, FloatInputs, FloatPanel, Format};
use super::layout::{Inputs, Layout, N_ROWS, Panel};
use super::math::dot;

/// Rows of floats that [`Isa::dots`] takes at once.
pub(crate) const N_DOT_ROWS: usize = 4;

/// Work that is compiled for each instruction set.
///
/// This is no closure because only functions can be inlined for sure. What is not inlined into [`Isa::vectorise`] is compiled
/// for the oldest machine of the architecture, where a fused multiply-add is a call.
pub(crate) trait Work {
    /// Works; this and all that it calls is `inline(always)`.
    fn run<I: Isa>(self, isa: I);
}

/// The kernels that are written by hand for an instruction set; everything else is vectorised by the compiler inside
/// [`Isa::vectorise`].
///
/// What a token's result is does not depend on `M`, the tokens that are computed with it.
pub(crate) trait Isa: Copy + Send + Sync {
    /// How [`Isa::tile`] reads panels.
    const LAYOUT: Layout;

    /// Tokens that are computed together: with [`N_ROWS`] rows, 6 fill the sixteen registers of most machines.
    const N_TOKENS: usize = 6;

    /// Whether the machine multiplies and adds in one step.
    const FUSED: bool = false;

    /// Runs `work` in a function that is compiled for the instruction set. What the whole program is built for needs no function
    /// of its own.
    #[inline(always)]
    fn vectorise(self, work: impl Work) {
        work.run(self);
    }

    /// `a · b + c`, in one step where the machine has it.
    #[inline(always)]
    fn mul_add(self, a: f32, b: f32, c: f32) -> f32 {
        if Self::FUSED { a.mul_add(b, c) } else { a * b + c }
    }

    /// The products of a panel's 16 rows, whose codes have `N_BITS` (8 or 4), with each of the first `M` (at most 8) of quantised
    /// tokens.
    fn tile<const N_BITS: usize, const M: usize>(self, panel: Panel<'_>, x: Inputs<'_>)
    -> [[f32; N_ROWS]; M];

    /// The products of the 16 rows of each of `U` (at most 2) panels, without their scales, with each of the first `M` (at most 8) of some tokens.
    /// What a row's result is does not depend on `U`.
    #[inline(always)]
    fn float_tile<F: Format, const M: usize, const U: usize>(
        self,
        panels: [FloatPanel<'_>; U],
        x: FloatInputs<'_>,
    ) -> [[[f32; N_ROWS]; M]; U] {
        let mut out = [[[0.0; N_ROWS]; M]; U];
        for (out, panel) in out.iter_mut().zip(panels) {
            *out = floats::tile::<F, M>(panel, x);
        }
        out
    }

    /// The products of 4 rows of floats, one after the other in `rows`, with each of `M` tokens: 8 partial sums each.
    #[inline(always)]
    fn dots<const M: usize>(self, rows: &[f32], x: [&[f32]; M]) -> [[f32; N_DOT_ROWS]; M] {
        x.map(|x| std::array::from_fn(|r| dot(&rows[r * x.len()..][..x.len()], x)))
    }
}

/// Implements [`Isa`] for instructions that are looked for while the program runs, given the type whose values prove that they are there, and what
/// they bring: the features that all work is compiled for, the constants of [`Isa`], and the functions for tiles and, where they are better than the
/// compiler's, for dot products. Those two are compiled for the features too, so only the proof allows to call them.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! impl_isa {
    (
        isa: $isa:ident,
        features: $features:literal,
        layout: $layout:ident,
        n_tokens: $n_tokens:literal,
        tile: $tile:ident,
        float_tile: $float_tile:ident,
        $(dots: $dots:ident,)?
    ) => {
        impl $crate::simd::isa::Isa for $isa {
            const LAYOUT: Layout = Layout::$layout;
            const FUSED: bool = true;
            const N_TOKENS: usize = $n_tokens;

            #[inline(always)]
            fn vectorise(self, work: impl $crate::simd::isa::Work) {
                #[target_feature(enable = $features)]
                fn compiled(isa: $isa, work: impl $crate::simd::isa::Work) {
                    work.run(isa);
                }
                // SAFETY: `self` exists only where the machine has the features.
                unsafe { compiled(self, work) }
            }

            #[inline(always)]
            fn tile<const N_BITS: usize, const M: usize>(
                self,
                panel: Panel<'_>,
                x: Inputs<'_>,
            ) -> [[f32; N_ROWS]; M] {
                // SAFETY: as above.
                unsafe { $tile::<N_BITS, M>(panel, x) }
            }

            #[inline(always)]
            fn float_tile<F: $crate::simd::floats::Format, const M: usize, const U: usize>(
                self,
                panels: [$crate::simd::floats::FloatPanel<'_>; U],
                x: $crate::simd::floats::FloatInputs<'_>,
            ) -> [[[f32; N_ROWS]; M]; U] {
                // SAFETY: as above.
                unsafe { $float_tile::<F, M, U>(panels, x) }
            }

            $(
                #[inline(always)]
                fn dots<const M: usize>(
                    self,
                    rows: &[f32],
                    x: [&[f32]; M],
                ) -> [[f32; $crate::simd::isa::N_DOT_ROWS]; M] {
                    // SAFETY: as above.
                    unsafe { $dots(rows, x) }
                }
            )?
        }
    };
}
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) use impl_isa;
