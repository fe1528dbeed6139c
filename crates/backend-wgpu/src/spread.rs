//! How attention is spread over workgroups: by tokens, head sizes, heads that share keys and values, and preset.

use hala_plan::ops::attention::Params;

use crate::capabilities::Preset;
use crate::sizes;

/// How attention is spread over workgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// A workgroup for each query head of each token.
    Simple,
    /// A workgroup for each [`TILE_ROWS`] of the rows that share a key/value head: a query head of a token each.
    Tiles,
    /// Tokens of many sequences: a workgroup for a few query heads of one that share a key/value head, and in long caches for each
    /// [`SPLIT`] positions of it.
    Token {
        /// HEADS in `variants.txt`.
        n_heads: u32,
        /// The end of the variant's name.
        name: &'static str,
        /// What attends to all of a short cache.
        short: Short,
    },
}

/// What attends to all of a short cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Short {
    /// The kernel of [`Spread::Simple`].
    Simple,
    /// That of a long cache, in one part.
    Whole,
}

impl Short {
    /// Positions that are few. On GPUs a second dispatch costs some microseconds, and so many positions little more. Software
    /// devices start dispatches faster than they pass barriers, of which the simple kernel has none to speak of in one tile.
    pub(crate) fn n_seen(self) -> u32 {
        match self {
            Self::Simple => 64,
            Self::Whole => 512,
        }
    }
}

/// Rows of a tile: ROWS in `attend_tiles.wgsl`.
pub(crate) const TILE_ROWS: u32 = 16;

/// Positions of a part of a long cache: SPLIT in `variants.txt`.
pub(crate) const SPLIT: u32 = 256;

impl Spread {
    /// In a Plan for `n_tokens` rows. Tiles load quads of a head that they can hold, and a token's kernels eights.
    pub(crate) fn of(preset: Preset, n_tokens: usize, params: &Params) -> Self {
        let n_sharing = params.n_heads / params.n_kv_heads;
        let short = match preset {
            Preset::Gpu | Preset::Portable => Short::Whole,
            Preset::Software => Short::Simple,
        };
        match (sizes::is_for_prompts(n_tokens), params.head_size) {
            (true, a) if a <= 64 && a.is_multiple_of(4) => Self::Tiles,
            (true, _) => Self::Simple,
            (_, a) if !a.is_multiple_of(8) => Self::Simple,
            (_, ..=64) if n_sharing <= 2 => Self::Token { n_heads: 2, name: "h2.a64", short },
            (_, ..=64) => Self::Token { n_heads: 4, name: "h4.a64", short },
            _ => Self::Token { n_heads: 4, name: "h4", short },
        }
    }
}
