//! The heads of an attention, of which configs and blocks speak alike.

/// The heads of an attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// H, query heads.
    pub n_heads: usize,
    /// K, key/value heads.
    pub n_kv_heads: usize,
    /// A, elements of a head.
    pub head_size: usize,
}

impl Heads {
    /// `H·A`
    pub(crate) fn q_width(&self) -> usize {
        self.n_heads * self.head_size
    }

    /// `K·A`
    pub(crate) fn kv_width(&self) -> usize {
        self.n_kv_heads * self.head_size
    }
}
