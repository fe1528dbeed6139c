//! Which variant of a kernel runs: one table from op, weight type, tokens and device to names in `shaders/variants.txt`.

use std::fmt;

use hala_tensor::DType;

use crate::dispatch::WINDOW_BYTES;
use crate::memory::stride;

/// What of a device decides which kernels it can run and likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// Whether it is a program on the CPU.
    pub(crate) is_software: bool,
    /// Whether kernels may use words of 64 bits.
    pub(crate) has_int64: bool,
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

/// The answer: a layout, and whether weights are read as words of 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way {
    pub(crate) layout: Layout,
    has_int64: bool,
}

impl Layout {
    const ALL: [Self; 3] = [Self::Rows1, Self::Rows8, Self::Lanes];

    /// The layout's part of a variant's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rows1 => "rows1",
            Self::Rows8 => "rows8",
            Self::Lanes => "lanes",
        }
    }

    /// Whether a device can compute a product in this way at all.
    fn fits(self, device: Abilities, question: &Question) -> bool {
        let row_bytes = 4 * stride(question.n_in) as u64;
        match self {
            Self::Rows1 => device.is_software && question.n_tokens == 1 && row_bytes <= WINDOW_BYTES,
            Self::Rows8 => device.is_software && question.n_tokens > 1 && 2 * row_bytes <= WINDOW_BYTES,
            Self::Lanes => true,
        }
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

impl Question {
    /// Every way that a device can go, the one that it goes untuned first. GPUs load fastest where neighbouring lanes read
    /// neighbouring words; software devices where each lane goes its own way, in the largest words that there are.
    pub(crate) fn ways(&self, device: Abilities) -> Vec<Way> {
        let is_byte = matches!(self.dtype, DType::Int8 { .. } | DType::E4M3);
        let mut ways = Vec::new();
        for layout in Layout::ALL.into_iter().filter(|layout| layout.fits(device, self)) {
            if layout != Layout::Lanes && is_byte && device.has_int64 {
                ways.push(Way { layout, has_int64: true });
            }
            ways.push(Way { layout, has_int64: false });
        }
        ways
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { op, dtype, n_tokens, n_in, n_out } = self;
        write!(f, "{op} {} T={n_tokens} {n_in}→{n_out}", weight_name(*dtype).unwrap_or("other"))
    }
}

impl Way {
    /// Lanes, which every device can do.
    pub(crate) const LANES: Self = Self { layout: Layout::Lanes, has_int64: false };

    /// The end of a variant's name.
    pub(crate) fn suffix(self) -> &'static str {
        if self.has_int64 { ".int64" } else { "" }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.layout.name(), self.suffix())
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

#[cfg(test)]
mod tests {
    use super::*;

    const GPU: Abilities = Abilities { is_software: false, has_int64: true };
    const SOFTWARE: Abilities = Abilities { is_software: true, has_int64: true };
    const PLAIN: Abilities = Abilities { is_software: true, has_int64: false };

    fn ways(device: Abilities, dtype: DType, n_tokens: usize, n_in: usize) -> Vec<String> {
        let question = Question { op: "matmul".to_owned(), dtype, n_tokens, n_in, n_out: 96 };
        question.ways(device).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn gpus_go_by_lanes_and_software_by_rows() {
        let int8 = DType::Int8 { group: 64 };
        assert_eq!(ways(GPU, int8, 1, 1024), ["lanes"]);
        assert_eq!(ways(GPU, DType::F32, 32, 1024), ["lanes"]);
        assert_eq!(ways(SOFTWARE, int8, 1, 1024), ["rows1.int64", "rows1", "lanes"]);
        assert_eq!(ways(SOFTWARE, DType::E4M3, 32, 1024), ["rows8.int64", "rows8", "lanes"]);
    }

    #[test]
    fn words_of_64_bits_are_for_bytes_and_for_devices_that_have_them() {
        assert_eq!(ways(SOFTWARE, DType::BF16, 1, 1024), ["rows1", "lanes"]);
        assert_eq!(ways(PLAIN, DType::E4M3, 1, 1024), ["rows1", "lanes"]);
    }

    #[test]
    fn rows_that_no_window_holds_go_by_lanes() {
        let widest = WINDOW_BYTES as usize / 4;
        assert_eq!(ways(PLAIN, DType::F32, 1, widest), ["rows1", "lanes"]);
        assert_eq!(ways(PLAIN, DType::F32, 1, widest + 1), ["lanes"]);
        assert_eq!(ways(PLAIN, DType::F32, 2, widest / 2), ["rows8", "lanes"]);
        assert_eq!(ways(PLAIN, DType::F32, 2, widest / 2 + 1), ["lanes"]);
    }
}
