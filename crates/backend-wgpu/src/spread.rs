//! How attention is spread over workgroups: by tokens, head sizes, heads that share keys and values, and preset.

use hala_plan::ops::attention::Params;
use hala_shaders::constant;

use crate::capabilities::Preset;
use crate::sizes;

/// How attention is spread over workgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// A workgroup for each query head of each token.
    Simple,
    /// A workgroup for each few of the rows that share a key/value head: a query head of a token each.
    Tiles,
    /// Tokens of many sequences: a workgroup for a few query heads of one that share a key/value head, and in long caches for each
    /// part of it.
    Token {
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
            Self::Simple => SIMPLE_TILE,
            Self::Whole => 512,
        }
    }
}

/// Positions of one tile of the simple kernel.
const SIMPLE_TILE: u32 = constant("attention.simple.f32", "TILE");

/// The largest head that tiles hold.
const TILE_HEAD: u32 = 4 * constant("attention.tiles.f32", "QUADS");

/// The largest head of a token's kernels for small ones.
const SMALL_HEAD: u32 = 8 * constant("attention.token.f32.h2.a64", "EIGHTS");

/// Query heads of a workgroup of the kernel for few that share a key/value head.
const FEW_SHARING: u32 = constant("attention.token.f32.h2.a64", "HEADS");

impl Spread {
    /// In a Plan for `n_tokens` rows. Tiles load quads of a head that they can hold, and a token's kernels eights.
    pub(crate) fn of(preset: Preset, n_tokens: usize, params: &Params) -> Self {
        let n_sharing = params.n_heads / params.n_kv_heads;
        let short = match preset {
            Preset::Gpu | Preset::Portable => Short::Whole,
            Preset::Software => Short::Simple,
        };
        match (sizes::is_for_prompts(n_tokens), params.head_size) {
            (true, a) if a <= TILE_HEAD && a.is_multiple_of(4) => Self::Tiles,
            (true, _) => Self::Simple,
            (_, a) if !a.is_multiple_of(8) => Self::Simple,
            (_, ..=SMALL_HEAD) if n_sharing <= FEW_SHARING => Self::Token { name: "h2.a64", short },
            (_, ..=SMALL_HEAD) => Self::Token { name: "h4.a64", short },
            _ => Self::Token { name: "h4", short },
        }
    }
}
