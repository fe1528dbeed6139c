//! Beginnings that texts share, such as a system message or an instruction: computed once, and kept for texts that come.

use std::collections::VecDeque;

use hala_plan::Backend;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::memory::Memory;
use crate::sequence::{Sequence, n_common};
use crate::snapshots::Snapshots;

/// Tokens that must be saved for a beginning to be worth a copy of its states.
const WORTH_SHARING: usize = 4;

/// Beginnings that are kept, and prompts that new ones are compared with.
const MOST_KEPT: usize = 4;
const MOST_RECENT: usize = 8;

/// What is kept, and what came last.
#[derive(Debug, Default)]
pub(super) struct Beginnings {
    /// Those used last at the end.
    kept: Vec<Sequence>,
    recent: VecDeque<Vec<u32>>,
}

/// A text that is to begin.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) tokens: &'a [u32],
    /// A sequence that was kept for it.
    pub(super) own: Option<Sequence>,
    /// Snapshots that it keeps at most.
    pub(super) n_snapshots: usize,
}

/// How a text begins.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) sequence: Sequence,
    /// Tokens after which its beginning is to be kept.
    pub(super) keep_at: Option<usize>,
}

impl Beginnings {
    /// Slots that what is kept may need, of sequences that keep so many snapshots: a fork has those of the sequence that it is of.
    pub(super) const fn n_slots(n_snapshots: usize) -> usize {
        MOST_KEPT * Snapshots::n_slots(n_snapshots)
    }

    /// A sequence for these tokens: the text's own, or one that shares the pages of another's beginning, where that is worth it; and whether it begins as
    /// others do for longer than that.
    ///
    /// # Errors
    /// No memory, or a lost device.
    pub(super) fn begin<'s, B: Backend>(
        &mut self,
        (engine, memory): (&Engine<B>, &mut Memory<B>),
        others: impl Iterator<Item = &'s Sequence>,
        asked: Asked<'_>,
    ) -> Result<Begun, EngineError> {
        let Asked { tokens, own, n_snapshots } = asked;
        let most = tokens.len() - 1;
        let reachable = |sequence: &Sequence| sequence.reachable(n_common(tokens, sequence.ids()).min(most));
        let kept = self.kept.iter().enumerate().map(|(i, sequence)| (reachable(sequence), Some(i), sequence));
        let best = others.map(|sequence| (reachable(sequence), None, sequence)).chain(kept);
        let (mut position, mut fork) = (0, None);
        let best = best.max_by_key(|(n, ..)| *n);
        if let Some(own) = own {
            let reached = own.resumable(tokens);
            if reached > 0 && best.is_none_or(|(n, ..)| n <= reached) {
                return Ok(Begun { sequence: own, keep_at: None });
            }
        }
        if let Some((reached, i, sequence)) = best
            && reached >= WORTH_SHARING
        {
            fork = sequence.fork(engine, memory, reached)?;
            position = if fork.is_some() { reached } else { 0 };
            if let Some(i) = i {
                let used = self.kept.remove(i);
                self.kept.push(used);
            }
        }
        let common = self.recent.iter().map(|recent| n_common(tokens, recent).min(most));
        let keep_at = common.filter(|n| *n >= position + WORTH_SHARING).min();
        self.recent.push_back(tokens.to_vec());
        if self.recent.len() > MOST_RECENT {
            self.recent.pop_front();
        }
        let mut sequence = fork.unwrap_or_else(|| Sequence::new(engine, n_snapshots));
        sequence.keep_snapshots(n_snapshots);
        Ok(Begun { sequence, keep_at })
    }

    /// Keeps a beginning; the one that was not used for longest makes room where needed.
    pub(super) fn keep(&mut self, beginning: Sequence) {
        if self.kept.len() == MOST_KEPT {
            self.kept.remove(0);
        }
        self.kept.push(beginning);
    }

    /// How many are kept.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Lets go of the one that was not used for longest; `false` where there is none.
    pub(super) fn let_go(&mut self) -> bool {
        let has_one = !self.kept.is_empty();
        self.kept.drain(..usize::from(has_one));
        has_one
    }
}

/// Whether a text had better wait until a beginning of another is computed that both have.
pub(super) fn waits_for(tokens: &[u32], other: &Sequence, keep_at: Option<usize>) -> bool {
    keep_at.is_some_and(|n| other.n_cached() < n && n < tokens.len() && n_common(tokens, other.ids()) >= n)
}
