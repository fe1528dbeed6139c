//! What kernels read: sixteen rows of an int8 or int4 matrix side by side, and the inputs of some tokens.

use std::ops::Range;

/// Rows of a matrix that are computed together.
pub(crate) const N_ROWS: usize = 16;

/// Columns of a block at most: 256 products of a code (≤ 127) and a 16-bit input stay below 2³¹.
pub(crate) const MAX_BLOCK: usize = 256;

/// How a kernel reads codes and inputs: a step is some columns of all rows of a panel, and the inputs of those columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(dead_code, reason = "each machine has the kernels for some of them")]
pub(crate) enum Layout {
    /// Two columns a step; inputs of 16 bits.
    Pairs,
    /// Four columns a step; the upper bytes of four inputs, then the lower ones.
    Fours,
    /// Eight columns a step; the upper bytes of eight inputs, then the lower ones.
    Eights,
}

impl Layout {
    /// Columns of a step.
    pub(crate) fn n_columns(self) -> usize {
        match self {
            Self::Pairs => 2,
            Self::Fours => 4,
            Self::Eights => 8,
        }
    }

    /// 32-bit words of one token's inputs of a step.
    pub(crate) fn n_words(self) -> usize {
        self.n_columns() / 2
    }
}

/// How wide the codes of a panel are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// A byte each.
    Int8,
    /// Half a byte each, as a signed number: a step in the lower halves of bytes, the next in the upper ones.
    Int4,
}

impl Width {
    /// Bits of a code.
    pub(crate) fn n_bits(self) -> usize {
        match self {
            Self::Int8 => 8,
            Self::Int4 => 4,
        }
    }

    /// Steps that share bytes.
    pub(crate) fn n_together(self) -> usize {
        8 / self.n_bits()
    }
}

/// Columns that share a scale and are summed as integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// First column.
    pub(crate) first: usize,
    /// Columns.
    pub(crate) n_columns: usize,
    /// Steps that hold the columns, the last one padded with zeros.
    pub(crate) n_steps: usize,
}

impl Block {
    /// The columns.
    pub(crate) fn columns(&self) -> Range<usize> {
        self.first..self.first + self.n_columns
    }
}

/// Sixteen rows of a matrix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panel<'a> {
    /// For each step, or each two of them, for each row, the codes of its columns.
    pub(crate) codes: &'a [i8],
    pub(crate) width: Width,
    /// For each block, the scale of each row.
    pub(crate) scales: &'a [f32],
    /// The blocks, which cover the columns in order.
    pub(crate) blocks: &'a [Block],
}

impl Panel<'_> {
    /// Makes sure that a kernel may read `16 · columns` codes of `N_BITS` and the words of `n_tokens` for every step, and 16 scales and those
    /// of the tokens for every block.
    ///
    /// # Panics
    /// Something is shorter: a panel and inputs of two layouts or two matrices.
    #[inline(always)]
    pub(crate) fn check<const N_BITS: usize>(&self, layout: Layout, x: Inputs<'_>, n_tokens: usize) {
        assert!(self.width.n_bits() == N_BITS);
        let n_steps: usize = self.blocks.iter().map(|b| b.n_steps).sum();
        let n_blocks = self.blocks.len();
        assert!(self.codes.len() == n_steps * layout.n_columns() * N_ROWS * N_BITS / 8);
        assert!(self.scales.len() == n_blocks * N_ROWS);
        let reach = |n: usize| n.saturating_sub(1) * x.stride + n_tokens;
        assert!(x.words.len() >= reach(n_steps * layout.n_words()) && x.scales.len() >= reach(n_blocks));
    }
}

/// Inputs of some tokens of a tile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// For each step, for each of its words, the word of each token: two codes, or four upper or lower bytes.
    pub(crate) words: &'a [u32],
    /// For each block, the scale of each token.
    pub(crate) scales: &'a [f32],
    /// Elements from one row of tokens to the next.
    pub(crate) stride: usize,
}
