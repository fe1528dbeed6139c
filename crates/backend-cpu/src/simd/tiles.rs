//! Inputs of matrices of floats: tokens side by side in tiles of as many as a kernel takes at once, so that it reads them from one place.

use super::floats::FloatInputs;
use crate::shared::Shared;

/// Inputs of several tokens.
#[derive(Debug, Default)]
pub(crate) struct Tiles {
    values: Vec<f32>,
    sizes: Sizes,
}

#[derive(Debug, Default, Clone, Copy)]
struct Sizes {
    n_tokens: usize,
    /// Tokens of a tile; the last one may have fewer.
    tile: usize,
    /// Inputs of a token.
    n_in: usize,
}

impl Sizes {
    /// The first token of the tile of `t`, and how many it has.
    #[inline(always)]
    fn tile_of(self, t: usize) -> (usize, usize) {
        let first = t - t % self.tile;
        (first, self.tile.min(self.n_tokens - first))
    }
}

impl Tiles {
    /// Makes room for `n_tokens` of `n_in` inputs in tiles of `tile`; memory grows to the largest use and stays.
    pub(crate) fn resize(&mut self, n_tokens: usize, tile: usize, n_in: usize) {
        self.sizes = Sizes { n_tokens, tile, n_in };
        self.values.resize(self.values.len().max(n_tokens * n_in), 0.0);
    }

    /// Lends the tokens for writing.
    pub(crate) fn form(&mut self) -> TilesForm<'_> {
        TilesForm { values: Shared::new(&mut self.values), sizes: self.sizes }
    }

    /// Lends the tokens for reading.
    pub(crate) fn tiled(&self) -> Tiled<'_> {
        Tiled { values: &self.values, sizes: self.sizes }
    }
}

/// Inputs of several tokens, as they are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tiled<'a> {
    values: &'a [f32],
    sizes: Sizes,
}

impl<'a> Tiled<'a> {
    /// The inputs of one token, which are a tile as they are.
    pub(crate) fn one(x: &'a [f32]) -> Self {
        Self { values: x, sizes: Sizes { n_tokens: 1, tile: 1, n_in: x.len() } }
    }

    /// The tokens from `t` to the end of its tile.
    #[inline(always)]
    pub(crate) fn tokens(&self, t: usize) -> FloatInputs<'a> {
        let Sizes { n_in, .. } = self.sizes;
        let (first, stride) = self.sizes.tile_of(t);
        FloatInputs { values: &self.values[first * n_in + t - first..(first + stride) * n_in], stride }
    }
}

/// Tiles while threads write their tokens.
#[derive(Debug)]
pub(crate) struct TilesForm<'a> {
    values: Shared<'a, f32>,
    sizes: Sizes,
}

impl TilesForm<'_> {
    /// Lays the inputs of token `t` among those of its tile.
    ///
    /// # Safety
    /// Nobody else uses the tile of this token.
    #[inline(always)]
    pub(crate) unsafe fn set(&self, t: usize, x: &[f32]) {
        let Sizes { n_in, .. } = self.sizes;
        let (first, stride) = self.sizes.tile_of(t);
        // SAFETY: the caller's promise; tiles do not overlap.
        let values = unsafe { self.values.part(first * n_in..(first + stride) * n_in) };
        for (values, x) in values.chunks_exact_mut(stride).zip(x) {
            values[t - first] = *x;
        }
    }
}
