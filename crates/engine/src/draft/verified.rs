//! Drafts whose logits a session has computed and whose turn has not come.

use std::collections::VecDeque;

use crate::draft::pace::Done;

/// The drafts of a session's last run.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    drafts: VecDeque<u32>,
    /// The row of the logits after the last token held.
    row: usize,
    /// The run, where its time tells something.
    run: Option<Done>,
}

impl Verified {
    /// After a run whose first `row` rows of logits nobody wants: those after its last token come next, then those after each draft.
    pub(crate) fn new(row: usize, drafts: &[u32], run: Option<Done>) -> Self {
        Self { drafts: drafts.iter().copied().collect(), row, run }
    }

    /// What came of the run, once.
    pub(crate) fn outcome(&mut self) -> Option<Done> {
        let run = self.run.take()?;
        Some(Done { n_accepted: run.n_drafts - self.drafts.len(), ..run })
    }

    /// The row of the logits after the last token held.
    pub(crate) fn row(&self) -> usize {
        self.row
    }

    /// Whether drafts are left, whose rows the states are ahead by.
    pub(crate) fn is_ahead(&self) -> bool {
        !self.drafts.is_empty()
    }

    /// Whether the next token is the one that was drafted, so that the logits after it are there.
    pub(crate) fn has(&self, id: u32) -> bool {
        self.drafts.front() == Some(&id)
    }

    /// Goes on to the next row.
    pub(crate) fn accept(&mut self) {
        self.drafts.pop_front();
        self.row += 1;
    }
}
