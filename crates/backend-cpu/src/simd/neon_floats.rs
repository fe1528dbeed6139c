//! The kernel for matrices of floats for aarch64: a column of 16 numbers is four vectors.
//!
//! Conversions of f16 are written as assembly, because Rust's own functions for them are not stable yet.

use std::arch::aarch64::{
    float32x4_t, uint16x8_t, vaddq_f32, vandq_u16, vdupq_n_f32, vdupq_n_u16, vfmaq_n_f32, vget_high_s8,
    vget_high_u16, vget_low_s8, vget_low_u16, vld1q_f32, vld1q_s8, vld1q_u16, vmovl_s8, vmulq_n_f32,
    vreinterpretq_f32_u32, vreinterpretq_u16_s16, vshll_n_u16, vshlq_n_u16, vst1q_f32,
};
use std::arch::asm;

use super::floats::{E4M3_OF_F16, F16_BITS, Float, FloatInputs, FloatPanel, Format, SPAN};
use super::layout::N_ROWS;

/// Vectors of a column.
const N_QUADS: usize = N_ROWS / 4;

/// Tokens whose sums, of even and of odd columns, take 24 of 32 registers.
const N_TOGETHER: usize = 3;

/// The products of the panels' 16 rows with each of the first `M` tokens, three tokens at a time.
#[target_feature(enable = "neon")]
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
#[target_feature(enable = "neon")]
#[inline]
unsafe fn some<F: Format, const M: usize>(
    panel: FloatPanel<'_>,
    x: FloatInputs<'_>,
    first_token: usize,
) -> [[f32; N_ROWS]; M] {
    let n_bytes = N_ROWS * F::FLOAT.n_bytes();
    let mut totals = [[vdupq_n_f32(0.0); N_QUADS]; M];
    for first in (0..panel.n_columns).step_by(SPAN) {
        let end = panel.n_columns.min(first + SPAN);
        let mut sums = [[[vdupq_n_f32(0.0); N_QUADS]; 2]; M];
        for column in first..end {
            let odd = (column - first) % 2;
            // SAFETY: the caller's promise.
            unsafe {
                let weights = one::<F>(panel.codes.as_ptr().add(column * n_bytes));
                let inputs = x.values.as_ptr().add(column * x.stride + first_token);
                for (m, sums) in sums.iter_mut().enumerate() {
                    let input = inputs.add(m).read();
                    for (sum, weights) in sums[odd].iter_mut().zip(weights) {
                        *sum = vfmaq_n_f32(*sum, weights, input);
                    }
                }
            }
        }
        for (totals, [even, odd]) in totals.iter_mut().zip(sums) {
            for ((total, even), odd) in totals.iter_mut().zip(even).zip(odd) {
                *total = vaddq_f32(*total, vaddq_f32(even, odd));
            }
        }
    }
    let factor = if F::FLOAT == Float::E4M3 { E4M3_OF_F16 } else { 1.0 };
    totals.map(|totals| {
        let mut out = [0.0; N_ROWS];
        for (out, total) in out.as_chunks_mut::<4>().0.iter_mut().zip(totals) {
            // SAFETY: `out` has room for four floats.
            unsafe { vst1q_f32(out.as_mut_ptr(), vmulq_n_f32(total, factor)) };
        }
        out
    })
}

/// One column.
///
/// # Safety
/// 16 numbers can be read.
#[target_feature(enable = "neon")]
#[inline]
unsafe fn one<F: Format>(codes: *const u8) -> [float32x4_t; N_QUADS] {
    // SAFETY: the caller's promise.
    unsafe {
        match F::FLOAT {
            Float::E4M3 => {
                let codes = vld1q_s8(codes.cast());
                let half = |words| {
                    let words = vshlq_n_u16::<7>(vreinterpretq_u16_s16(words));
                    of_halves(vandq_u16(words, vdupq_n_u16(F16_BITS.cast_unsigned())))
                };
                let low = half(vmovl_s8(vget_low_s8(codes)));
                let high = half(vmovl_s8(vget_high_s8(codes)));
                [low[0], low[1], high[0], high[1]]
            }
            Float::F16 => eights(codes, |words| of_halves(words)),
            Float::BF16 => eights(codes, |words| {
                [vget_low_u16(words), vget_high_u16(words)]
                    .map(|words| vreinterpretq_f32_u32(vshll_n_u16::<16>(words)))
            }),
            Float::F32 => std::array::from_fn(|quad| vld1q_f32(codes.cast::<f32>().add(4 * quad))),
        }
    }
}

/// Two times eight numbers of 16 bits, decoded.
///
/// # Safety
/// 32 bytes can be read.
#[inline(always)]
unsafe fn eights(
    codes: *const u8,
    decoded: impl Fn(uint16x8_t) -> [float32x4_t; 2],
) -> [float32x4_t; N_QUADS] {
    // SAFETY: the caller's promise.
    let [low, high] =
        unsafe { [decoded(vld1q_u16(codes.cast())), decoded(vld1q_u16(codes.cast::<u16>().add(8)))] };
    [low[0], low[1], high[0], high[1]]
}

/// Eight f16 as floats.
#[target_feature(enable = "neon")]
#[inline]
fn of_halves(words: uint16x8_t) -> [float32x4_t; 2] {
    let (low, high);
    // SAFETY: the instructions work on registers alone, and every aarch64 machine has them.
    unsafe {
        asm!("fcvtl {low:v}.4s, {words:v}.4h", "fcvtl2 {high:v}.4s, {words:v}.8h",
            low = out(vreg) low, high = lateout(vreg) high, words = in(vreg) words,
            options(pure, nomem, nostack));
    }
    [low, high]
}
