//! Runs that are queued on a device which chooses tokens itself.

use crate::cancel::Cancel;
use crate::ops::sample::{Choice, TokenSet};
use crate::rows::Span;

/// Where a row's chain of queued runs begins.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    /// The token that the first run reads.
    pub id: u32,
    /// The ids that are never chosen.
    pub banned: &'a TokenSet,
    /// The ids that the repetition penalty is for; every chosen one is added to them.
    pub seen: &'a TokenSet,
}

/// One sequence's row in queued runs.
#[derive(Debug, Clone, Copy)]
pub struct AheadRow<'a> {
    /// Where the chain begins; `None` where it goes on from what the same row chose in the run that was queued last.
    pub start: Option<Start<'a>>,
    /// One row at the position of the first run's token; its tables have the pages of all the runs.
    pub span: Span<'a>,
    /// How its tokens are chosen.
    pub choice: Choice,
    /// Where each run draws its token, from 0 to 1: as many as there are runs.
    pub draws: &'a [f32],
}

/// Runs of a Plan that ends in [`Op::Sample`](crate::Op::Sample): each row reads the token that it chose in the run before.
#[derive(Debug, Clone, Copy)]
pub struct Ahead<'a> {
    /// The rows, at most the Plan's T.
    pub rows: &'a [AheadRow<'a>],
    /// Looked at as in [`Rows`](crate::Rows).
    pub cancel: &'a Cancel,
}

impl Ahead<'_> {
    /// Runs to queue.
    pub fn n_runs(&self) -> usize {
        self.rows.first().map_or(0, |row| row.draws.len())
    }
}
