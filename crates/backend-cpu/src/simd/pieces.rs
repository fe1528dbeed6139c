//! What attention is cut into, so that threads share it out.

use hala_plan::Span;
use hala_plan::ops::attention::Params;

/// A few rows of one sequence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) span: usize,
    /// Of the run's rows, the first.
    pub(crate) first_row: usize,
    pub(crate) n_rows: usize,
    /// Of the first row.
    pub(crate) position: usize,
}

/// Cuts the rows of each span into pieces of at most `n_rows`, those that see most first, so that threads end at about the same time.
pub(crate) fn cut(spans: &[Span<'_>], params: &Params, n_rows: usize, pieces: &mut Vec<Piece>) {
    pieces.clear();
    let mut start = 0;
    for (i, span) in spans.iter().enumerate() {
        pieces.extend((0..span.n_rows).step_by(n_rows).map(|first| Piece {
            span: i,
            first_row: start + first,
            n_rows: n_rows.min(span.n_rows - first),
            position: span.position + first,
        }));
        start += span.n_rows;
    }
    let n_seen = |piece: &Piece| piece.n_rows * (piece.position + 1 - params.first_seen(piece.position));
    pieces.sort_unstable_by_key(|piece| std::cmp::Reverse(n_seen(piece)));
}
