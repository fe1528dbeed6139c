//! Activations as 16-bit codes, with a scale for each token and each block of the weight that they meet.
//!
//! Sixteen bits, not eight: AVX2 multiplies 16-bit numbers as fast as it multiplies 8-bit ones with the corrections that
//! those need, and an error of 2⁻¹⁶ of the block's largest input is far below what int8 weights cost.

use super::math::ROUNDER;
use super::panels::Block;
use crate::shared::Shared;

/// The largest code.
const MAX: f32 = 32767.0;

/// Blocks of smaller inputs are taken for zeros: the inverse of their scale would overflow.
const MIN: f32 = 1e-30;

/// One token's inputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Codes<'a> {
    /// Two for each pair of columns.
    pub(crate) codes: &'a [i16],
    /// One for each block.
    pub(crate) scales: &'a [f32],
}

/// Inputs of several tokens, all with the same blocks.
#[derive(Debug, Default)]
pub(crate) struct Quantised {
    codes: Vec<i16>,
    scales: Vec<f32>,
    n_codes: usize,
    n_blocks: usize,
}

impl Quantised {
    /// Makes room for `n_tokens`; memory grows to the largest use and stays.
    pub(crate) fn resize(&mut self, n_tokens: usize, blocks: &[Block]) {
        self.n_codes = blocks.iter().map(|b| 2 * b.n_pairs).sum();
        self.n_blocks = blocks.len();
        self.codes.resize(self.codes.len().max(n_tokens * self.n_codes), 0);
        self.scales.resize(self.scales.len().max(n_tokens * self.n_blocks), 0.0);
    }

    /// Lends the tokens for writing.
    pub(crate) fn form<'a>(&'a mut self, blocks: &'a [Block]) -> Form<'a> {
        let Self { codes, scales, n_codes, n_blocks } = self;
        Form {
            blocks,
            codes: Shared::new(codes),
            scales: Shared::new(scales),
            n_codes: *n_codes,
            n_blocks: *n_blocks,
        }
    }

    /// One token's.
    #[inline(always)]
    pub(crate) fn token(&self, t: usize) -> Codes<'_> {
        Codes {
            codes: &self.codes[t * self.n_codes..(t + 1) * self.n_codes],
            scales: &self.scales[t * self.n_blocks..(t + 1) * self.n_blocks],
        }
    }
}

/// A quantised form while threads write its tokens.
#[derive(Debug)]
pub(crate) struct Form<'a> {
    blocks: &'a [Block],
    codes: Shared<'a, i16>,
    scales: Shared<'a, f32>,
    n_codes: usize,
    n_blocks: usize,
}

impl Form<'_> {
    /// Quantises the inputs of token `t`.
    ///
    /// # Safety
    /// Nobody else uses this token.
    #[inline(always)]
    pub(crate) unsafe fn set(&self, t: usize, x: &[f32]) {
        let (n_codes, n_blocks) = (self.n_codes, self.n_blocks);
        // SAFETY: the caller's promise; the parts of two tokens do not overlap.
        let codes = unsafe { self.codes.part(t * n_codes..(t + 1) * n_codes) };
        // SAFETY: as above.
        let scales = unsafe { self.scales.part(t * n_blocks..(t + 1) * n_blocks) };
        quantise(self.blocks, x, codes, scales);
    }
}

/// Quantises one token: `scale = max |x| / 32767` in each block, codes rounded half to even.
///
/// An infinite or undefined input makes its block's scale, and so every product, infinite or undefined.
#[inline(always)]
fn quantise(blocks: &[Block], x: &[f32], codes: &mut [i16], scales: &mut [f32]) {
    let mut first = 0;
    for (block, scale) in blocks.iter().zip(scales) {
        let x = &x[block.columns()];
        let codes = &mut codes[first..first + 2 * block.n_pairs];
        first += codes.len();
        // Magnitudes are compared by their bits, which have the order of the floats: a loop without branches.
        let max_bits = x.iter().fold(0, |max: i32, x| max.max((x.to_bits() & 0x7fff_ffff) as i32));
        let max = f32::from_bits(max_bits as u32);
        let inverse = if max < MIN { 0.0 } else { MAX / max };
        *scale = max / MAX;
        for (code, x) in codes.iter_mut().zip(x) {
            *code = (x * inverse + ROUNDER).to_bits() as i16;
        }
        codes[x.len()..].fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a step of the largest code, and the rounding of the scale.
    const STEP: f32 = 0.501;

    #[test]
    fn codes_are_the_nearest() {
        let blocks =
            [Block { first: 0, n_columns: 3, n_pairs: 2 }, Block { first: 3, n_columns: 2, n_pairs: 1 }];
        let x = [1.0, -3.0, 0.1, 0.0, 0.0];
        let (mut codes, mut scales) = ([9; 6], [9.0; 2]);
        quantise(&blocks, &x, &mut codes, &mut scales);
        assert_eq!(codes[1], -32767);
        assert_eq!(codes[3..], [0; 3]);
        for (code, x) in codes.iter().zip(&x[..3]) {
            assert!((f32::from(*code) * scales[0] - x).abs() <= scales[0] * STEP);
        }
    }

    #[test]
    fn what_is_not_finite_stays_so() {
        let blocks = [Block { first: 0, n_columns: 2, n_pairs: 1 }];
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (mut codes, mut scales) = ([0; 2], [0.0]);
            quantise(&blocks, &[x, 1.0], &mut codes, &mut scales);
            assert!(!scales[0].is_finite());
        }
    }

    #[test]
    fn the_smallest_numbers_become_zeros() {
        let blocks = [Block { first: 0, n_columns: 2, n_pairs: 1 }];
        let (mut codes, mut scales) = ([7; 2], [7.0]);
        quantise(&blocks, &[1e-38, 0.0], &mut codes, &mut scales);
        assert_eq!(codes, [0; 2]);
    }
}
