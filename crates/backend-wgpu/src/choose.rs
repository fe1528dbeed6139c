//! Which variant of a kernel runs: one table from op, weight type, tokens and device to names in `shaders/variants.txt`.

use hala_tensor::DType;
use wgpu::DeviceType;

use crate::dispatch::{Tokens, WINDOW_BYTES};
use crate::gpu::Gpu;
use crate::memory::stride;

/// Which kernels a device gets where there is a choice, and the memory that they want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Lanes that load together, workgroup memory, barriers.
    Gpu,
    /// As [`Preset::Gpu`], with nothing but what every WebGPU device offers.
    Portable,
    /// Threads that go their own way, activations in uniform windows, weights as words of 64 bits.
    Software,
}

impl Preset {
    /// What a device runs fastest. Mesa's software device has words of 64 bits; Chromium's has not, and would take a minute to
    /// compile a kernel of the other preset.
    pub(crate) fn of(kind: DeviceType, has_int64: bool) -> Self {
        if kind == DeviceType::Cpu && has_int64 { Self::Software } else { Self::Gpu }
    }

    /// The preset in a word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gpu => "gpu",
            Self::Portable => "portable",
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
    /// The same, where lanes that run together add up by themselves.
    LanesSub,
    /// 64 rows by 32 tokens through workgroup memory.
    Tile32,
    /// 64 rows by 64 tokens.
    Tile64,
}

/// Threads of a workgroup of rows: THREADS in `variants.txt`.
const N_THREADS: u32 = 8;

impl Layout {
    /// For `n_tokens` tokens at most of `n_in` columns. GPUs load fastest where neighbouring lanes read neighbouring words;
    /// Mesa's software device where each lane goes its own way.
    pub(crate) fn of(gpu: &Gpu, n_tokens: usize, n_in: usize) -> Self {
        let row_bytes = 4 * stride(n_in) as u64;
        match (gpu.preset, n_tokens) {
            (Preset::Software, 1) if row_bytes <= WINDOW_BYTES => Self::Rows1,
            (Preset::Software, 2..) if 2 * row_bytes <= WINDOW_BYTES => Self::Rows8,
            (_, 0..=1) => Self::lanes(gpu),
            (_, 2..=32) => Self::Tile32,
            _ => Self::Tile64,
        }
    }

    /// For one token whose row may be any of x.
    pub(crate) fn lanes(gpu: &Gpu) -> Self {
        if gpu.has_subgroups { Self::LanesSub } else { Self::Lanes }
    }

    /// The layout's part of a variant's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rows1 => "rows1",
            Self::Rows8 => "rows8",
            Self::Lanes => "lanes",
            Self::LanesSub => "lanes_sub",
            Self::Tile32 => "tile32",
            Self::Tile64 => "tile64",
        }
    }

    /// Whether activations are read through windows.
    pub(crate) fn is_windowed(self) -> bool {
        matches!(self, Self::Rows1 | Self::Rows8)
    }

    /// Workgroups along the tokens of a run.
    pub(crate) fn tokens(self) -> Tokens {
        match self {
            Self::Rows1 | Self::Rows8 => Tokens::One,
            Self::Lanes | Self::LanesSub => Tokens::Each(1),
            Self::Tile32 => Tokens::Each(32),
            Self::Tile64 => Tokens::Each(64),
        }
    }

    /// Workgroups for results of which a workgroup of lanes has `n_lanes`, and a thread of rows `n_fours` fours. Each of
    /// `n_out` is counted by itself, since a four has rows of one matrix.
    pub(crate) fn n_groups(self, n_out: &[u32], [n_lanes, n_fours, n_tile]: [u32; 3]) -> u32 {
        match self {
            Self::Rows1 | Self::Rows8 => {
                n_out.iter().map(|n| n.div_ceil(4)).sum::<u32>().div_ceil(N_THREADS * n_fours)
            }
            Self::Lanes | Self::LanesSub => n_out.iter().sum::<u32>().div_ceil(n_lanes),
            Self::Tile32 | Self::Tile64 => n_out.iter().sum::<u32>().div_ceil(n_tile),
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
