//! Activations as 16-bit codes, with a scale for each token and each block of the weight that they meet.
//!
//! Sixteen bits, not eight: an error of 2⁻¹⁶ of the block's largest input is far below what int8 weights cost, so that every
//! machine writes the same text; eight bits would cost more than the weights do. AVX2, VNNI and WebAssembly multiply 16-bit
//! numbers in one instruction. aarch64 has only bytes to multiply: there a code is two of them.
//!
//! Tokens lie side by side in tiles of as many as a kernel takes at once, so that it reads them from one place.

use super::layout::{Block, Inputs, Layout, MAX_BLOCK};
use super::math::ROUNDER;
use crate::shared::Shared;

/// The largest code: its upper byte, rounded, is 127.
const MAX: f32 = 32639.0;

/// Blocks of smaller inputs are taken for zeros: the inverse of their scale would overflow.
const MIN: f32 = 1e-30;

/// Inputs of several tokens, all with the same blocks.
#[derive(Debug, Default)]
pub(crate) struct Quantised {
    words: Vec<u32>,
    scales: Vec<f32>,
    sizes: Sizes,
}

#[derive(Debug, Default, Clone, Copy)]
struct Sizes {
    n_tokens: usize,
    /// Tokens of a tile; the last one may have fewer.
    tile: usize,
    /// Words and blocks of a token.
    n_words: usize,
    n_blocks: usize,
}

impl Sizes {
    /// The first token of the tile of `t`, and how many it has.
    #[inline(always)]
    fn tile_of(self, t: usize) -> (usize, usize) {
        let first = t - t % self.tile;
        (first, self.tile.min(self.n_tokens - first))
    }
}

impl Quantised {
    /// Makes room for `n_tokens` in tiles of `tile`; memory grows to the largest use and stays.
    pub(crate) fn resize(&mut self, n_tokens: usize, tile: usize, blocks: &[Block], layout: Layout) {
        let n_words = blocks.iter().map(|b| b.n_steps * layout.n_words()).sum();
        self.sizes = Sizes { n_tokens, tile, n_words, n_blocks: blocks.len() };
        self.words.resize(self.words.len().max(n_tokens * n_words), 0);
        self.scales.resize(self.scales.len().max(n_tokens * blocks.len()), 0.0);
    }

    /// Lends the tokens for writing.
    pub(crate) fn form<'a>(&'a mut self, blocks: &'a [Block], layout: Layout) -> Form<'a> {
        let Self { words, scales, sizes } = self;
        Form { blocks, layout, words: Shared::new(words), scales: Shared::new(scales), sizes: *sizes }
    }

    /// The tokens from `t` to the end of its tile.
    #[inline(always)]
    pub(crate) fn tokens(&self, t: usize) -> Inputs<'_> {
        let Sizes { n_words, n_blocks, .. } = self.sizes;
        let (first, stride) = self.sizes.tile_of(t);
        let part = |n: usize| first * n + t - first..(first + stride) * n;
        Inputs { words: &self.words[part(n_words)], scales: &self.scales[part(n_blocks)], stride }
    }
}

/// A quantised form while threads write its tokens.
#[derive(Debug)]
pub(crate) struct Form<'a> {
    blocks: &'a [Block],
    layout: Layout,
    words: Shared<'a, u32>,
    scales: Shared<'a, f32>,
    sizes: Sizes,
}

impl Form<'_> {
    /// Quantises the inputs of token `t`: `scale = max |x| / 32639` in each block, codes rounded half to even.
    ///
    /// An infinite or undefined input makes its block's scale, and so every product, infinite or undefined.
    ///
    /// # Safety
    /// Nobody else uses the tile of this token.
    #[inline(always)]
    pub(crate) unsafe fn set(&self, t: usize, x: &[f32]) {
        let Sizes { n_words, n_blocks, .. } = self.sizes;
        let (first, stride) = self.sizes.tile_of(t);
        // SAFETY: the caller's promise; tiles do not overlap.
        let words = unsafe { self.words.part(first * n_words..(first + stride) * n_words) };
        // SAFETY: as above.
        let scales = unsafe { self.scales.part(first * n_blocks..(first + stride) * n_blocks) };
        let mut words = Strided { words: &mut words[t - first..], stride, at: 0 };
        let mut pairs = [0u32; MAX_BLOCK / 2];
        for (b, block) in self.blocks.iter().enumerate() {
            let pairs = &mut pairs[..block.n_steps * self.layout.n_words()];
            let codes: &mut [i16] = bytemuck::cast_slice_mut(pairs);
            scales[t - first + b * stride] = encode(&x[block.columns()], codes);
            match self.layout {
                Layout::Pairs => words.write(pairs.iter().copied()),
                Layout::Fours => words.write(in_bytes::<4>(codes)),
                Layout::Eights => words.write(in_bytes::<8>(codes)),
            }
        }
    }
}

/// One token's words in its tile.
struct Strided<'a> {
    words: &'a mut [u32],
    stride: usize,
    /// Where the next word goes.
    at: usize,
}

impl Strided<'_> {
    /// Writes the next words. (Iterators that step through the tile are loops over closures, which are not compiled for the
    /// instruction set.)
    #[inline(always)]
    fn write(&mut self, from: impl Iterator<Item = u32>) {
        for word in from {
            self.words[self.at] = word;
            self.at += self.stride;
        }
    }
}

/// Writes the codes of one block, and zeros after them, and returns their scale.
#[inline(always)]
fn encode(x: &[f32], codes: &mut [i16]) -> f32 {
    // Magnitudes are compared by their bits, which have the order of the floats: a loop without branches.
    let mut max_bits = 0;
    for x in x {
        max_bits = max_bits.max((x.to_bits() & 0x7fff_ffff) as i32);
    }
    let max = f32::from_bits(max_bits as u32);
    let inverse = if max < MIN { 0.0 } else { MAX / max };
    for (code, x) in codes.iter_mut().zip(x) {
        *code = (x * inverse + ROUNDER).to_bits() as i16;
    }
    codes[x.len()..].fill(0);
    max / MAX
}

/// For each `K` codes, the words of their upper bytes, then of their lower ones: `256 · upper + lower`, both signed.
#[inline(always)]
fn in_bytes<const K: usize>(codes: &[i16]) -> impl Iterator<Item = u32> {
    codes.as_chunks::<K>().0.iter().flat_map(|codes| {
        let upper = codes.map(|code| ((code + 128) >> 8) as u8);
        let lower = codes.map(|code| code as u8);
        [upper, lower].into_iter().flat_map(|bytes| {
            let words: [u32; 2] = std::array::from_fn(|i| {
                let byte = |j: usize| bytes.get(4 * i + j).copied().unwrap_or(0);
                u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
            });
            words.into_iter().take(K / 4)
        })
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Half a step of the largest code, and the rounding of the scale.
    const STEP: f32 = 0.501;

    const LAYOUTS: [Layout; 3] = [Layout::Pairs, Layout::Fours, Layout::Eights];

    /// The code of a column of a block that begins at the word `first`.
    pub(in super::super) fn code(layout: Layout, x: Inputs<'_>, first: usize, column: usize) -> i32 {
        let n = layout.n_columns();
        let first = first + column / n * layout.n_words();
        let byte =
            |i: usize| i32::from(x.words[(first + i / 4) * x.stride].to_le_bytes()[i % 4].cast_signed());
        match layout {
            Layout::Pairs => {
                let word = x.words[first * x.stride];
                i32::from(bytemuck::cast::<u32, [i16; 2]>(word)[column % 2])
            }
            Layout::Fours | Layout::Eights => 256 * byte(column % n) + byte(n + column % n),
        }
    }

    /// Blocks of 3 columns.
    fn blocks(layout: Layout, n_columns: usize) -> Vec<Block> {
        let block = |first| {
            let n_columns = 3.min(n_columns - first);
            Block { first, n_columns, n_steps: n_columns.div_ceil(layout.n_columns()) }
        };
        (0..n_columns).step_by(3).map(block).collect()
    }

    /// Tokens of 5 inputs, in tiles of 2.
    fn quantised(layout: Layout, tokens: &[[f32; 5]]) -> (Vec<Block>, Quantised) {
        let blocks = blocks(layout, 5);
        let mut quantised = Quantised::default();
        quantised.resize(tokens.len(), 2, &blocks, layout);
        quantised.words.fill(u32::MAX);
        let form = quantised.form(&blocks, layout);
        for (t, x) in tokens.iter().enumerate() {
            // SAFETY: nobody else uses the form.
            unsafe { form.set(t, x) };
        }
        (blocks, quantised)
    }

    #[test]
    fn codes_are_the_nearest_and_what_pads_them_is_zero() {
        let tokens = [[1.0, -3.0, 0.1, 0.0, 0.0], [-1.0, 2.0, 1e-3, 5.0, -7.0], [0.5, 0.25, 4.0, -1.0, 1.0]];
        for layout in LAYOUTS {
            let (blocks, quantised) = quantised(layout, &tokens);
            for (t, x) in tokens.iter().enumerate() {
                let inputs = quantised.tokens(t);
                let mut first = 0;
                for (b, block) in blocks.iter().enumerate() {
                    let scale = inputs.scales[b * inputs.stride];
                    let codes =
                        (0..block.n_steps * layout.n_columns()).map(|i| code(layout, inputs, first, i));
                    let x = x[block.columns()].iter().copied().chain(std::iter::repeat(0.0));
                    for (code, x) in codes.zip(x) {
                        assert!(
                            (code as f32 * scale - x).abs() <= scale * STEP,
                            "{layout:?}, token {t}: {code}"
                        );
                    }
                    first += block.n_steps * layout.n_words();
                }
            }
        }
    }

    #[test]
    fn the_largest_inputs_fit_two_signed_bytes() {
        for (layout, x) in LAYOUTS.into_iter().flat_map(|layout| [5.0, -5.0].map(|x| (layout, x))) {
            let (_, quantised) = quantised(layout, &[[x; 5]]);
            assert_eq!(code(layout, quantised.tokens(0), 0, 0), (MAX * x / 5.0) as i32, "{layout:?}");
        }
    }

    #[test]
    fn what_is_not_finite_stays_so() {
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(!quantised(Layout::Pairs, &[[x, 1.0, 1.0, 1.0, 1.0]]).1.scales[0].is_finite());
        }
    }

    #[test]
    fn the_smallest_numbers_become_zeros() {
        for layout in LAYOUTS {
            let (_, quantised) = quantised(layout, &[[1e-38, 0.0, 0.0, 0.0, 0.0]]);
            assert!(quantised.words.iter().all(|word| *word == 0), "{layout:?}");
        }
    }
}
