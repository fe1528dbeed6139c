//! Which variant of a kernel runs: one table from op, weight type, tokens and device to names in `shaders/variants.txt`.

use std::fmt;

use hala_tensor::DType;

use crate::capabilities::{Abilities, Preset};
use crate::grid::Tokens;
use crate::padding::{WINDOW_BYTES, stride};

/// How a product is spread over a workgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Fours of rows a thread, one token, read through a window.
    Rows1,
    /// Fours of rows a thread, four tokens, read through windows of two.
    Rows4,
    /// The same, eight tokens.
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

/// A product that some kernel has to compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// The op, and what else makes it another kernel: `matmul.norm`.
    pub(crate) op: String,
    pub(crate) dtype: DType,
    /// T of the Plan.
    pub(crate) n_tokens: usize,
    pub(crate) n_in: usize,
    pub(crate) n_out: usize,
}

impl Layout {
    /// The larger tile is for those prompts that fill it.
    const ALL: [Self; 7] =
        [Self::Rows1, Self::Rows4, Self::Rows8, Self::Tile64, Self::Tile32, Self::LanesSub, Self::Lanes];

    /// Whether a device can compute a product in this way at all.
    fn fits(self, device: Abilities, question: &Question) -> bool {
        let Question { n_tokens, n_in, .. } = *question;
        let row_bytes = 4 * stride(n_in) as u64;
        let is_software = device.preset == Preset::Software;
        match self {
            Self::Rows1 => is_software && n_tokens == 1 && row_bytes <= WINDOW_BYTES,
            Self::Rows4 => is_software && (2..=4).contains(&n_tokens) && 2 * row_bytes <= WINDOW_BYTES,
            Self::Rows8 => is_software && n_tokens > 1 && 2 * row_bytes <= WINDOW_BYTES,
            Self::LanesSub => device.has_subgroups,
            Self::Lanes => true,
            Self::Tile32 => n_tokens > 1 && question.has_tiles(),
            Self::Tile64 => n_tokens > 32 && question.has_tiles(),
        }
    }

    /// The layout's part of a variant's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rows1 => "rows1",
            Self::Rows4 => "rows4",
            Self::Rows8 => "rows8",
            Self::Lanes => "lanes",
            Self::LanesSub => "lanes_sub",
            Self::Tile32 => "tile32",
            Self::Tile64 => "tile64",
        }
    }

    /// Whether a product holds its norm, as kernels for a few rows do in each of their threads; for more rows of activations that
    /// would be more work than a dispatch of its own, where threads have no memory in common.
    pub(crate) fn holds_norm(self) -> bool {
        !matches!(self, Self::Rows4 | Self::Rows8)
    }

    /// Fours of rows of a thread of a product with one matrix at a time.
    pub(crate) fn n_fours(self) -> u32 {
        if matches!(self, Self::Rows4 | Self::Rows8) { 2 } else { 1 }
    }

    /// Workgroups along the tokens of a run.
    pub(crate) fn tokens(self) -> Tokens {
        match self {
            Self::Rows1 | Self::Rows4 | Self::Rows8 => Tokens::One,
            Self::Lanes | Self::LanesSub => Tokens::Each(1),
            Self::Tile32 => Tokens::Each(32),
            Self::Tile64 => Tokens::Each(64),
        }
    }

    /// Workgroups for results of which a workgroup of lanes has `n_lanes`, and a thread of rows `n_fours` fours. Each of
    /// `n_out` is counted by itself, since a four has rows of one matrix.
    pub(crate) fn n_groups(self, n_out: &[u32], [n_lanes, n_fours, n_tile]: [u32; 3]) -> u32 {
        match self {
            Self::Rows1 | Self::Rows4 | Self::Rows8 => {
                n_out.iter().map(|n| n.div_ceil(4)).sum::<u32>().div_ceil(N_THREADS * n_fours)
            }
            Self::Lanes | Self::LanesSub => n_out.iter().sum::<u32>().div_ceil(n_lanes),
            Self::Tile32 | Self::Tile64 => n_out.iter().sum::<u32>().div_ceil(n_tile),
        }
    }
}

impl Question {
    /// The fused convolution has none: it is for one token.
    fn has_tiles(&self) -> bool {
        self.op != "short_conv"
    }

    /// Every way that a device can go, the one that it goes untuned first. GPUs load fastest where neighbouring lanes read
    /// neighbouring words; Mesa's software device where each lane goes its own way.
    pub(crate) fn layouts(&self, device: Abilities) -> impl Iterator<Item = Layout> {
        Layout::ALL.into_iter().filter(move |layout| layout.fits(device, self))
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { op, dtype, n_tokens, n_in, n_out } = self;
        write!(f, "{op} {} T={n_tokens} {n_in}→{n_out}", weight_name(*dtype).unwrap_or("other"))
    }
}

/// The weight type's part of a variant's name; `None` for what kernels do not read.
pub(crate) fn weight_name(dtype: DType) -> Option<&'static str> {
    match dtype {
        DType::F32 => Some("f32"),
        DType::F16 => Some("f16"),
        DType::BF16 => Some("bf16"),
        DType::Int8 { .. } => Some("int8"),
        DType::Int4 { .. } => Some("int4"),
        DType::E4M3 => Some("e4m3"),
        DType::U32 => None,
    }
}

/// The cache type's part of a variant's name.
pub(crate) fn cache_name(dtype: DType) -> &'static str {
    if dtype == DType::F16 { "f16" } else { "f32" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GPU: Abilities = Abilities { preset: Preset::Gpu, has_subgroups: true };
    const PORTABLE: Abilities = Abilities { preset: Preset::Portable, has_subgroups: false };
    const SOFTWARE: Abilities = Abilities { preset: Preset::Software, has_subgroups: false };

    fn names(device: Abilities, n_tokens: usize, n_in: usize) -> Vec<&'static str> {
        let (op, dtype) = ("matmul".to_owned(), DType::Int8 { group: 64 });
        let question = Question { op, dtype, n_tokens, n_in, n_out: 96 };
        question.layouts(device).map(Layout::name).collect()
    }

    #[test]
    fn gpus_go_by_lanes_for_one_token_and_by_tiles_for_prompts() {
        assert_eq!(names(GPU, 1, 1024), ["lanes_sub", "lanes"]);
        assert_eq!(names(PORTABLE, 1, 1024), ["lanes"]);
        assert_eq!(names(PORTABLE, 32, 1024), ["tile32", "lanes"]);
        assert_eq!(names(PORTABLE, 128, 1024), ["tile64", "tile32", "lanes"]);
    }

    #[test]
    fn software_goes_by_rows_unless_no_window_holds_them() {
        let widest = WINDOW_BYTES as usize / 4;
        assert_eq!(names(SOFTWARE, 1, widest), ["rows1", "lanes"]);
        assert_eq!(names(SOFTWARE, 1, widest + 1), ["lanes"]);
        assert_eq!(names(SOFTWARE, 4, widest / 2), ["rows4", "rows8", "tile32", "lanes"]);
        assert_eq!(names(SOFTWARE, 8, widest / 2), ["rows8", "tile32", "lanes"]);
        assert_eq!(names(SOFTWARE, 8, widest / 2 + 1), ["tile32", "lanes"]);
    }
}
