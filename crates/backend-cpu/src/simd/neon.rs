//! The kernels for aarch64 with instructions that sum products of bytes: `sdot` (dotprod, Armv8.2) and `smmla` (i8mm, Armv8.6).
//! An input of 16 bits is two signed bytes, `256 · upper + lower`.
//!
//! Both are written as assembly, one instruction each, because Rust's own functions for them are not stable yet.

use std::arch::aarch64::{
    float32x4_t, int8x16_t, int32x4_t, uint32x4_t, vaddq_s32, vcvtq_f32_s32, vdupq_n_f32, vdupq_n_s32,
    vdupq_n_u32, vfmaq_f32, vld1q_f32, vld1q_s8, vld1q_u32, vmulq_f32, vshlq_n_s8, vshlq_n_s32, vshrq_n_s8,
    vst1q_f32, vuzp1q_f32, vuzp2q_f32, vzip1q_f32, vzip2q_f32,
};
use std::arch::{asm, is_aarch64_feature_detected};

use super::isa::impl_isa;
use super::layout::{Inputs, Layout, N_ROWS, Panel};
use super::neon_floats::float_tile;

/// Vectors of four sums for the rows of a panel.
const N_QUADS: usize = N_ROWS / 4;

/// Pairs of rows of a panel.
const N_PAIRS: usize = N_ROWS / 2;

/// Proof that the machine has `sdot`: only [`Dotprod::detect`] makes one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dotprod(());

impl Dotprod {
    /// Looks at the machine.
    pub(crate) fn detect() -> Option<Self> {
        is_aarch64_feature_detected!("dotprod").then_some(Self(()))
    }
}

impl_isa! {
    isa: Dotprod,
    features: "neon,dotprod",
    layout: Fours,
    // Their products with upper and lower bytes take 24 of 32 registers.
    n_tokens: 3,
    tile: by_fours,
    float_tile: float_tile,
}

/// Proof that the machine has `smmla`: only [`I8mm::detect`] makes one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct I8mm(());

impl I8mm {
    /// Looks at the machine.
    pub(crate) fn detect() -> Option<Self> {
        is_aarch64_feature_detected!("i8mm").then_some(Self(()))
    }
}

impl_isa! {
    isa: I8mm,
    features: "neon,i8mm",
    layout: Eights,
    // As many registers as there are, for one half of the inputs at a time.
    n_tokens: 4,
    tile: by_eights,
    float_tile: float_tile,
}

/// Four inputs of 16 rows a step, upper and lower bytes by themselves, summed in 32 bits over a block.
#[target_feature(enable = "neon,dotprod")]
fn by_fours<const N_BITS: usize, const M: usize>(panel: Panel<'_>, x: Inputs<'_>) -> [[f32; N_ROWS]; M] {
    panel.check::<N_BITS>(Layout::Fours, x, M);
    let mut sums = [[vdupq_n_f32(0.0); N_QUADS]; M];
    let mut step = 0;
    for (block_idx, block) in panel.blocks.iter().enumerate() {
        // Those of the upper bytes, then of the lower.
        let mut products = [[[vdupq_n_s32(0); N_QUADS]; M]; 2];
        for s in step..step + block.n_steps {
            // SAFETY: the panel was checked to have 64 codes a step, and two words of each token.
            unsafe {
                let codes = panel.codes.as_ptr().add(s * N_BITS / 8 * 4 * N_ROWS);
                let mut codes: [int8x16_t; N_QUADS] =
                    std::array::from_fn(|quad| vld1q_s8(codes.add(quad * 16)));
                for codes in &mut codes {
                    *codes = of_step::<N_BITS>(*codes, s);
                }
                for (half, products) in products.iter_mut().enumerate() {
                    let inputs = x.words.as_ptr().add((2 * s + half) * x.stride);
                    for (m, products) in products.iter_mut().enumerate() {
                        let input = vdupq_n_u32(inputs.add(m).read());
                        for (product, codes) in products.iter_mut().zip(codes) {
                            *product = sdot(*product, codes, input);
                        }
                    }
                }
            }
        }
        step += block.n_steps;
        let [upper, lower] = products;
        let x_scales = &x.scales[block_idx * x.stride..][..M];
        for (((sums, upper), lower), x_scale) in sums.iter_mut().zip(upper).zip(lower).zip(x_scales) {
            let x_scale = vdupq_n_f32(*x_scale);
            for quad in 0..N_QUADS {
                let scale = vmulq_f32(scales(panel, block_idx, quad), x_scale);
                let product = vaddq_s32(vshlq_n_s32::<8>(upper[quad]), lower[quad]);
                sums[quad] = vfmaq_f32(sums[quad], vcvtq_f32_s32(product), scale);
            }
        }
    }
    sums.map(|sums| stored(sums))
}

/// Eight inputs of 16 rows a step, for as many pairs of tokens as hold `M`.
#[target_feature(enable = "neon,i8mm")]
#[inline]
fn by_eights<const N_BITS: usize, const M: usize>(panel: Panel<'_>, x: Inputs<'_>) -> [[f32; N_ROWS]; M] {
    match M {
        1 | 2 => in_pairs::<N_BITS, 1, M>(panel, x),
        3 | 4 => in_pairs::<N_BITS, 2, M>(panel, x),
        5 | 6 => in_pairs::<N_BITS, 3, M>(panel, x),
        _ => in_pairs::<N_BITS, 6, M>(panel, x),
    }
}

/// Eight inputs of 16 rows a step, two tokens at a time, upper and lower bytes by themselves, summed in 32 bits over a block; an
/// odd last token is its own partner.
#[target_feature(enable = "neon,i8mm")]
fn in_pairs<const N_BITS: usize, const P: usize, const M: usize>(
    panel: Panel<'_>,
    x: Inputs<'_>,
) -> [[f32; N_ROWS]; M] {
    panel.check::<N_BITS>(Layout::Eights, x, M);
    let partners: [[usize; 2]; P] = std::array::from_fn(|p| [2 * p, 2 * p + 1].map(|m| m.min(M - 1)));
    // For each pair of tokens and each pair of rows: both tokens with the first row, then with the second.
    let mut sums = [[vdupq_n_f32(0.0); N_PAIRS]; P];
    let mut step = 0;
    for (block_idx, block) in panel.blocks.iter().enumerate() {
        // Those of the upper bytes, then of the lower.
        let mut products = [[[vdupq_n_s32(0); N_PAIRS]; P]; 2];
        for s in step..step + block.n_steps {
            for (half, products) in products.iter_mut().enumerate() {
                let words = [0, 1].map(|i| &x.words[(4 * s + 2 * half + i) * x.stride..][..M]);
                let inputs = partners.map(|[a, b]| [words[0][a], words[1][a], words[0][b], words[1][b]]);
                // SAFETY: four words are 16 bytes.
                let inputs = inputs.map(|words| unsafe { vld1q_u32(words.as_ptr()) });
                for rows in 0..N_PAIRS {
                    let first = s * N_BITS / 8 * 8 * N_ROWS + rows * 16;
                    // SAFETY: the panel was checked to have 128 codes a step.
                    let codes = of_step::<N_BITS>(unsafe { vld1q_s8(panel.codes.as_ptr().add(first)) }, s);
                    for (products, input) in products.iter_mut().zip(inputs) {
                        products[rows] = smmla(products[rows], codes, input);
                    }
                }
            }
        }
        step += block.n_steps;
        let [upper, lower] = products;
        let x_scales = &x.scales[block_idx * x.stride..][..M];
        for (((sums, upper), lower), partners) in sums.iter_mut().zip(upper).zip(lower).zip(partners) {
            let [a, b] = partners.map(|m| vdupq_n_f32(x_scales[m]));
            let x_scale = vzip1q_f32(a, b);
            for rows in 0..N_PAIRS {
                let quad = scales(panel, block_idx, rows / 2);
                let pair = if rows % 2 == 0 { vzip1q_f32(quad, quad) } else { vzip2q_f32(quad, quad) };
                let product = vaddq_s32(vshlq_n_s32::<8>(upper[rows]), lower[rows]);
                sums[rows] = vfmaq_f32(sums[rows], vcvtq_f32_s32(product), vmulq_f32(pair, x_scale));
            }
        }
    }
    std::array::from_fn(|m| {
        let sums = &sums[m / 2];
        stored(std::array::from_fn(|quad| {
            let (low, high) = (sums[2 * quad], sums[2 * quad + 1]);
            if m % 2 == 0 { vuzp1q_f32(low, high) } else { vuzp2q_f32(low, high) }
        }))
    })
}

/// The codes of a step: those of bytes, or of the lower and the upper halves of bytes in turn.
#[inline(always)]
fn of_step<const N_BITS: usize>(bytes: int8x16_t, step: usize) -> int8x16_t {
    // SAFETY: every aarch64 machine that runs this program has these.
    unsafe {
        match (N_BITS, step % 2) {
            (8, _) => bytes,
            (_, 0) => vshrq_n_s8::<4>(vshlq_n_s8::<4>(bytes)),
            _ => vshrq_n_s8::<4>(bytes),
        }
    }
}

/// Four of a block's scales.
#[inline(always)]
fn scales(panel: Panel<'_>, block_idx: usize, quad: usize) -> float32x4_t {
    let scales = &panel.scales[block_idx * N_ROWS + quad * 4..][..4];
    // SAFETY: they are four floats.
    unsafe { vld1q_f32(scales.as_ptr()) }
}

/// Adds to each of four sums the products of four signed bytes.
#[target_feature(enable = "neon,dotprod")]
#[inline]
fn sdot(mut sums: int32x4_t, a: int8x16_t, b: uint32x4_t) -> int32x4_t {
    // SAFETY: the instruction works on registers alone, and the machine has it.
    unsafe {
        asm!("sdot {sums:v}.4s, {a:v}.16b, {b:v}.16b", sums = inout(vreg) sums, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    sums
}

/// Adds to a 2 × 2 matrix of sums the products of two rows of eight signed bytes with two others.
#[target_feature(enable = "neon,i8mm")]
#[inline]
fn smmla(mut sums: int32x4_t, a: int8x16_t, b: uint32x4_t) -> int32x4_t {
    // SAFETY: the instruction works on registers alone, and the machine has it.
    unsafe {
        asm!("smmla {sums:v}.4s, {a:v}.16b, {b:v}.16b", sums = inout(vreg) sums, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags));
    }
    sums
}

#[inline(always)]
fn stored(sums: [float32x4_t; N_QUADS]) -> [f32; N_ROWS] {
    let mut out = [0.0; N_ROWS];
    for (out, sum) in out.as_chunks_mut::<4>().0.iter_mut().zip(sums) {
        // SAFETY: `out` has room for four floats.
        unsafe { vst1q_f32(out.as_mut_ptr(), sum) };
    }
    out
}
