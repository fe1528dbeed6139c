//! Which variant of a kernel runs: one table from op, weight type, tokens and device to names in `shaders/variants.txt`.

use hala_plan::ops::attention::Params;
use hala_tensor::DType;
use wgpu::DeviceType;

use crate::dispatch::WINDOW_BYTES;
use crate::gpu::Gpu;
use crate::memory::stride;

/// Which kernels a device gets where there is a choice, and the memory that they want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Lanes that load together, workgroup memory, barriers.
    Gpu,
    /// Threads that go their own way, activations in uniform windows.
    Software,
}

impl Preset {
    /// What a device of this kind runs fastest.
    pub(crate) fn of(kind: DeviceType) -> Self {
        if kind == DeviceType::Cpu { Self::Software } else { Self::Gpu }
    }

    /// The preset in a word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Software => "software",
        }
    }
}

/// How a product is spread over a workgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Fours of rows a thread, one token, read through a window.
    Rows1,
    /// Fours of rows a thread, eight tokens, read through windows of two.
    Rows8,
    /// 64 lanes along a few rows, one token.
    Lanes,
}

/// Threads of a workgroup of rows: THREADS in `variants.txt`.
const N_THREADS: u32 = 8;

impl Layout {
    /// For `n_tokens` tokens at most of `n_in` columns. GPUs load fastest where neighbouring lanes read neighbouring words;
    /// software devices where each lane goes its own way.
    pub(crate) fn of(gpu: &Gpu, n_tokens: usize, n_in: usize) -> Self {
        let row_bytes = 4 * stride(n_in) as u64;
        match (gpu.preset, n_tokens) {
            (Preset::Software, 1) if row_bytes <= WINDOW_BYTES => Self::Rows1,
            (Preset::Software, 2..) if 2 * row_bytes <= WINDOW_BYTES => Self::Rows8,
            _ => Self::Lanes,
        }
    }

    /// The layout's part of a variant's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rows1 => "rows1",
            Self::Rows8 => "rows8",
            Self::Lanes => "lanes",
        }
    }

    /// The end of the name, for a device and a weight type.
    pub(crate) fn suffix(self, gpu: &Gpu, dtype: DType) -> &'static str {
        let is_byte = matches!(dtype, DType::Int8 { .. } | DType::E4M3);
        if self != Self::Lanes && is_byte && gpu.has_int64 { ".int64" } else { "" }
    }

    /// Workgroups for results of which a workgroup of lanes has `n_lanes`, and a thread of rows `n_fours` fours. Each of
    /// `n_out` is counted by itself, since a four has rows of one matrix.
    pub(crate) fn n_groups(self, n_out: &[u32], n_lanes: u32, n_fours: u32) -> u32 {
        match self {
            Self::Rows1 | Self::Rows8 => {
                n_out.iter().map(|n| n.div_ceil(4)).sum::<u32>().div_ceil(N_THREADS * n_fours)
            }
            Self::Lanes => n_out.iter().sum::<u32>().div_ceil(n_lanes),
        }
    }
}

/// How attention is spread over workgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// A workgroup for each query head of each token.
    Simple,
    /// A workgroup for each [`TILE_ROWS`] of the rows that share a key/value head: a query head of a token each.
    Tiles,
    /// One token: a workgroup for a few query heads that share a key/value head, and in long caches for each [`SPLIT`]
    /// positions of it.
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
    /// For `n_tokens` tokens at most. Tiles load quads of a head that they can hold, and a token's kernels eights.
    pub(crate) fn of(gpu: &Gpu, n_tokens: usize, params: &Params) -> Self {
        let n_sharing = params.n_heads / params.n_kv_heads;
        let short = match gpu.preset {
            Preset::Gpu => Short::Whole,
            Preset::Software => Short::Simple,
        };
        match (n_tokens, params.head_size) {
            (2.., a) if a <= 64 && a.is_multiple_of(4) => Self::Tiles,
            (2.., _) => Self::Simple,
            (_, a) if !a.is_multiple_of(8) => Self::Simple,
            (_, ..=64) if n_sharing <= 2 => Self::Token { n_heads: 2, name: "h2.a64", short },
            (_, ..=64) => Self::Token { n_heads: 4, name: "h4.a64", short },
            _ => Self::Token { n_heads: 4, name: "h4", short },
        }
    }
}

/// The weight type's part of a variant's name; `None` for what kernels do not read.
pub(crate) fn weight_name(dtype: DType) -> Option<&'static str> {
    match dtype {
        DType::F32 => Some("f32"),
        DType::F16 => Some("f16"),
        DType::BF16 => Some("bf16"),
        DType::Int8 { .. } => Some("int8"),
        DType::E4M3 => Some("e4m3"),
        DType::U32 => None,
    }
}

/// The cache type's part of a variant's name.
pub(crate) fn cache_name(dtype: DType) -> &'static str {
    if dtype == DType::F16 { "f16" } else { "f32" }
}
