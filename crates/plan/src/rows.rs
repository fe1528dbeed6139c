//! What one run computes: rows of one or several sequences, and where each sequence's states are.

use crate::cancel::Cancel;

/// Positions of a page of a KV cache.
pub const PAGE: usize = 64;

/// The slot of recurrent states that stays zero: the state before any token, which others are copied from.
pub const EMPTY_SLOT: u32 = 0;

/// The rows of one run: those of each sequence side by side, in the order of their positions.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// `[T]`: token ids, at least 1 and at most the Plan's T.
    pub ids: &'a [u32],
    /// Whose rows they are, in the order of `ids`.
    pub spans: &'a [Span<'a>],
    /// Indices of the rows whose logits are wanted, ascending: one for each row of logits that the run computes. Plans that compute
    /// every row's do not look at it.
    pub wanted: &'a [u32],
    /// Looked at between steps; a backend that cannot stop half-way looks at it once.
    pub cancel: &'a Cancel,
}

/// The rows of one sequence in a run: one where it decodes, a chunk of a prompt, or a few drafts.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// Rows, at least 1.
    pub n_rows: usize,
    /// Position of the first: tokens already in the state.
    pub position: usize,
    /// Where its recurrent states are; no two spans of a run share one.
    pub slot: u32,
    /// For each kind of layer ([`TableSpec`](crate::TableSpec)) its page table: the page of positions `i · PAGE ..` at index `i`. Pages
    /// that the span writes are its own; those it only reads may be shared; those behind a window are not looked at.
    pub tables: &'a [Vec<u32>],
}

impl Span<'_> {
    /// The position after the last row's: tokens in the state once the run is done.
    pub fn end(&self) -> usize {
        self.position.saturating_add(self.n_rows)
    }
}

impl<'a> Rows<'a> {
    /// The spans with the index of their first row.
    pub fn placed(&self) -> impl Iterator<Item = (usize, &'a Span<'a>)> + use<'a> {
        self.spans.iter().scan(0, |first, span| {
            let start = *first;
            *first += span.n_rows;
            Some((start, span))
        })
    }
}
