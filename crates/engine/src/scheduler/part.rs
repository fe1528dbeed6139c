//! The rows of one sequence in a run.

/// The rows of one sequence in a run.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Index of the sequence among those that run.
    pub(super) idx: usize,
    /// Rows of its own tokens.
    pub(super) n_rows: usize,
    /// Whether they are the last of its tokens, whose logits are wanted.
    pub(super) is_last: bool,
    /// What may come after these; the logits after each are wanted too.
    pub(super) drafts: Vec<u32>,
}

impl Part {
    /// Rows of a sequence's own tokens.
    pub(super) fn new(idx: usize, n_rows: usize, is_last: bool) -> Self {
        Self { idx, n_rows, is_last, drafts: Vec::new() }
    }

    /// Its rows, with those of drafts.
    pub(super) fn n_all_rows(&self) -> usize {
        self.n_rows + self.drafts.len()
    }
}
