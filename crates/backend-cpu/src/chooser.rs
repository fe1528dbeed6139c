//! What the op `sample` reads and writes besides buffers, row by row, and the ids that wait to be read.

use std::collections::VecDeque;

use hala_plan::ops::sample::{Choice, DECLINED, TokenSet, Turn};
use hala_plan::{Ahead, Start};

use crate::ops;

/// The choices of one prepared Plan.
#[derive(Debug)]
pub(crate) struct Chooser {
    rows: Vec<Row>,
    /// Which of them the rows of the run are: those whose chains were not declined.
    of_run: Vec<usize>,
    /// The calls that were not read yet, the oldest first.
    pub(crate) queued: VecDeque<Queued>,
}

/// What one call has chosen.
#[derive(Debug)]
pub(crate) struct Queued {
    pub(crate) n_runs: usize,
    /// Of all rows, run by run.
    pub(crate) ids: Vec<u32>,
}

/// The chain of one row.
#[derive(Debug)]
struct Row {
    turn: Turn,
    banned: TokenSet,
    seen: TokenSet,
    /// The id chosen last.
    id: u32,
}

impl Row {
    fn start(&mut self, start: Start<'_>) {
        self.banned.copy_from(start.banned);
        self.seen.copy_from(start.seen);
        self.id = start.id;
    }

    /// Chooses from `logits [V]`.
    fn choose(&mut self, logits: &[f32]) {
        let Self { turn, banned, seen, .. } = self;
        self.id = ops::sample::run(turn, ops::sample::Inputs { logits, banned, seen });
        self.seen.insert(self.id);
    }
}

impl Chooser {
    /// Takes the likeliest ids of `n_vocab` until told otherwise, for up to `n_rows` rows.
    pub(crate) fn new(n_rows: usize, n_vocab: usize) -> Self {
        let row = |_| Row {
            turn: Turn { choice: Choice::GREEDY, at: 0.0, place: 0 },
            banned: TokenSet::new(n_vocab),
            seen: TokenSet::new(n_vocab),
            id: DECLINED,
        };
        Self { rows: (0..n_rows).map(row).collect(), of_run: (0..n_rows).collect(), queued: VecDeque::new() }
    }

    /// Begins the chains that begin.
    pub(crate) fn start(&mut self, ahead: &Ahead<'_>) {
        for (row, other) in self.rows.iter_mut().zip(ahead.rows) {
            if let Some(start) = other.start {
                row.start(start);
            }
            row.turn.choice = other.choice;
        }
    }

    /// Prepares for one of the runs: the rows that take part in it, which are those that were not declined, with the id that each reads.
    pub(crate) fn begin(&mut self, ahead: &Ahead<'_>, run: usize) -> impl Iterator<Item = (usize, u32)> {
        let Self { rows, of_run, .. } = self;
        of_run.clear();
        for (i, (row, other)) in rows.iter_mut().zip(ahead.rows).enumerate() {
            row.turn.at = other.draws[run];
            if row.id != DECLINED {
                of_run.push(i);
            }
        }
        of_run.iter().map(|i| (*i, rows[*i].id))
    }

    /// Has each row of a run choose for itself, in the order of the rows, as where nothing was queued.
    pub(crate) fn all_rows(&mut self) {
        self.of_run.clear();
        self.of_run.extend(0..self.rows.len());
    }

    /// The ids that the first `n_rows` rows chose last.
    pub(crate) fn ids(&self, n_rows: usize) -> impl Iterator<Item = u32> {
        self.rows[..n_rows].iter().map(|row| row.id)
    }

    /// Chooses from the rows of `logits [T, V]`.
    pub(crate) fn choose(&mut self, logits: &[f32], n_vocab: usize) {
        for (row, logits) in self.of_run.iter().zip(logits.chunks_exact(n_vocab)) {
            self.rows[*row].choose(logits);
        }
    }
}
