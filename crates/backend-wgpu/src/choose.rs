//! Which variant of a kernel runs: one table from op, weight type, tokens and device to names in `shaders/variants.txt`.

use std::fmt;

use hala_plan::BackendError;
use hala_shaders::Variant;
use hala_tensor::DType;

use crate::capabilities::{Abilities, Preset};
use crate::kernel::{number, windows};
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

/// A product that some kernel has to compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// The op's name, which those of its kernels begin with.
    pub(crate) op: &'static str,
    /// Whether it is of what its kernel norms, where the op has kernels without a norm too.
    pub(crate) is_normed: bool,
    /// Matrices whose results stand side by side.
    pub(crate) n_matrices: usize,
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

    /// Whether a device can compute a product in this way at all. Not every op has a kernel of every layout, nor every build.
    fn fits(self, device: Abilities, question: &Question) -> bool {
        let Some((kernel, n_rows)) = question.kernel(self) else { return false };
        let n_tokens = question.n_tokens;
        let is_software = device.preset == Preset::Software;
        match self {
            Self::Rows1 | Self::Rows4 if n_tokens > n_rows => false,
            Self::Rows1 => is_software && question.has_windows(kernel, n_rows),
            Self::Rows4 | Self::Rows8 => is_software && n_tokens > 1 && question.has_windows(kernel, n_rows),
            Self::LanesSub => device.has_subgroups,
            Self::Lanes => true,
            Self::Tile32 => n_tokens > 1,
            Self::Tile64 => question.kernel(Self::Tile32).is_some_and(|(_, n_filled)| n_tokens > n_filled),
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

    /// Workgroups for the results of a kernel of this layout. Where rows come in fours, each matrix is counted by itself, since a four has
    /// rows of one.
    ///
    /// # Errors
    /// A kernel that does not tell how many results a workgroup has.
    pub(crate) fn n_groups(self, kernel: &Variant, n_out: &[u32]) -> Result<u32, BackendError> {
        let n_together = if matches!(self, Self::Rows1 | Self::Rows4 | Self::Rows8) { 4 } else { 1 };
        let n_results = n_out.iter().map(|n| n.next_multiple_of(n_together)).sum::<u32>();
        Ok(n_results.div_ceil(number(kernel, "N_RESULTS")?))
    }
}

impl Question {
    /// The kernel that answers it in this way, but for what only some of its variants have (a norm, three matrices), and the rows of
    /// activations that it takes at once.
    fn kernel(&self, layout: Layout) -> Option<(&'static Variant, usize)> {
        let name = format!("{}.{}.{}", self.op, weight_name(self.dtype)?, layout.name());
        let kernel = hala_shaders::variant(&name)?;
        Some((kernel, kernel.constant("TOKENS")? as usize))
    }

    /// Whether the windows of a kernel, which together show `n_rows`, are large enough for their rows.
    fn has_windows(&self, kernel: &Variant, n_rows: usize) -> bool {
        let n_each = n_rows.div_ceil(windows(kernel).len().max(1));
        (n_each * 4 * stride(self.n_in)) as u64 <= WINDOW_BYTES
    }

    /// Every way that a device can go, the one that it goes untuned first. GPUs load fastest where neighbouring lanes read
    /// neighbouring words; Mesa's software device where each lane goes its own way.
    pub(crate) fn layouts(&self, device: Abilities) -> impl Iterator<Item = Layout> {
        Layout::ALL
            .into_iter()
            .filter(move |layout| layout.fits(device, self) && (layout.holds_norm() || !self.is_normed))
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { op, dtype, n_tokens, n_in, n_out, .. } = self;
        let normed = if self.is_normed { ".norm" } else { "" };
        let many = if self.n_matrices > 1 { ".three" } else { "" };
        let dtype = weight_name(*dtype).unwrap_or("other");
        write!(f, "{op}{normed}{many} {dtype} T={n_tokens} {n_in}→{n_out}")
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

    fn asked(n_tokens: usize, n_in: usize) -> Question {
        let dtype = DType::Int8 { group: 64 };
        Question { op: "matmul", is_normed: false, n_matrices: 1, dtype, n_tokens, n_in, n_out: 96 }
    }

    fn names(device: Abilities, n_tokens: usize, n_in: usize) -> Vec<&'static str> {
        asked(n_tokens, n_in).layouts(device).map(Layout::name).collect()
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

    #[test]
    fn questions_are_named_as_files_of_choices_have_them() {
        let plain = asked(1, 1024);
        assert_eq!(plain.to_string(), "matmul int8 T=1 1024→96");
        let normed = Question { is_normed: true, ..plain };
        assert_eq!(normed.to_string(), "matmul.norm int8 T=1 1024→96");
        let many = Question { n_matrices: 2, ..normed };
        assert_eq!(many.to_string(), "matmul.norm.three int8 T=1 1024→96");
    }

    #[test]
    fn workgroups_are_those_that_the_kernel_was_compiled_for() {
        let groups =
            |layout: Layout, kernel: &Variant, n_out: &[u32]| layout.n_groups(kernel, n_out).unwrap();
        for layout in Layout::ALL {
            let Some(kernel) = hala_shaders::variant(&format!("matmul.int8.{}", layout.name())) else {
                panic!()
            };
            let n = kernel.constant("N_RESULTS").unwrap();
            assert_eq!(groups(layout, kernel, &[n, 0, 0]), 1, "{}", kernel.name);
            assert_eq!(groups(layout, kernel, &[10 * n, 1, 0]), 11, "{}", kernel.name);
            let constants = [("N_RESULTS", 2 * n)];
            let wider = Variant { constants: Vec::leak(constants.to_vec()), ..*kernel };
            assert_eq!(groups(layout, &wider, &[10 * n, 1, 0]), 6, "{}", kernel.name);
        }
        let rows = hala_shaders::variant("matmul.int8.rows1").unwrap();
        let n = rows.constant("N_RESULTS").unwrap();
        assert_eq!(groups(Layout::Rows1, rows, &[n - 3, 1, 0]), 2, "a four has rows of one matrix");
        let silent = Variant { constants: &[], ..*rows };
        let error = Layout::Rows1.n_groups(&silent, &[1]).unwrap_err().to_string();
        assert!(error.contains("matmul.int8.rows1 has no constant N_RESULTS"), "{error}");
    }
}
