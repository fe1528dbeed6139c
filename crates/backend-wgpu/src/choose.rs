//! Which variant of a kernel runs: one table from op, weight type, tokens and device to names in `shaders/variants.txt`.

use hala_tensor::DType;

/// How a product is spread over a workgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A row a thread, one token.
    Rows1,
    /// A row a thread, eight tokens.
    Rows8,
    /// 64 lanes along a few rows, one token.
    Lanes,
}

/// Threads of a workgroup in every product.
const N_THREADS: u32 = 64;

impl Layout {
    /// For `n_tokens` tokens at most. GPUs load fastest where neighbouring lanes read neighbouring words; software devices
    /// where each lane goes its own way.
    pub(crate) fn of(n_tokens: usize, is_software: bool) -> Self {
        match (n_tokens, is_software) {
            (1, true) => Self::Rows1,
            (1, false) => Self::Lanes,
            _ => Self::Rows8,
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

    /// Tokens of a workgroup.
    pub(crate) fn n_tokens(self) -> u32 {
        match self {
            Self::Rows1 | Self::Lanes => 1,
            Self::Rows8 => 8,
        }
    }

    /// Workgroups for `n` results, of which a workgroup of lanes has `n_lanes`.
    pub(crate) fn n_groups(self, n: usize, n_lanes: u32) -> u32 {
        let n_each = match self {
            Self::Rows1 | Self::Rows8 => N_THREADS,
            Self::Lanes => n_lanes,
        };
        (n as u32).div_ceil(n_each)
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
