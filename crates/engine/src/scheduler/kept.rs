//! Sequences that wait in memory for the next text that goes on with them.

use crate::retained::Claim;
use crate::sequence::Sequence;
use crate::snapshots::Snapshots;

/// Sequences that wait at most.
pub(super) const MOST_KEPT: usize = 64;

/// Snapshots of such a sequence at most: a conversation goes back further than a sentence.
pub(super) const N_SNAPSHOTS: usize = 8;

/// Those that wait.
#[derive(Debug, Default)]
pub(super) struct KeptSequences {
    /// Those used last at the end.
    list: Vec<(Claim, Sequence)>,
}

impl KeptSequences {
    /// Slots that they may need.
    pub(super) const fn n_slots() -> usize {
        MOST_KEPT * Snapshots::n_slots(N_SNAPSHOTS)
    }

    /// Keeps a sequence that rests, in the place of an earlier one.
    pub(super) fn keep(&mut self, claim: Claim, sequence: Sequence) {
        self.list.retain(|(other, _)| *other != claim);
        if claim.is_held() && sequence.n_cached() > 0 {
            if self.list.len() == MOST_KEPT {
                self.list.remove(0);
            }
            self.list.push((claim, sequence));
        }
    }

    /// The sequence that waits.
    pub(super) fn get(&self, claim: &Claim) -> Option<&Sequence> {
        self.list.iter().find(|(other, _)| other == claim).map(|(_, sequence)| sequence)
    }

    /// The same, to go on with.
    pub(super) fn take(&mut self, claim: &Claim) -> Option<Sequence> {
        let i = self.list.iter().position(|(other, _)| other == claim)?;
        Some(self.list.remove(i).1)
    }

    /// Drops those that nobody can come with any more.
    pub(super) fn drop_unheld(&mut self) {
        self.list.retain(|(claim, _)| claim.is_held());
    }

    /// Lets go of the one that was not used for longest, other than `but`; `false` where there is none.
    pub(super) fn let_go(&mut self, but: Option<&Claim>) -> bool {
        let oldest = self.list.iter().position(|(claim, _)| Some(claim) != but);
        oldest.map(|i| self.list.remove(i)).is_some()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// All of them.
    pub(super) fn sequences(&self) -> impl Iterator<Item = &Sequence> {
        self.list.iter().map(|(_, sequence)| sequence)
    }
}
