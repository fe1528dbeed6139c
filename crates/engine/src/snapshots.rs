//! Earlier states of a sequence that it can go back to.

use crate::places::Place;

/// The state after some tokens: a copy of the recurrent states, and pages that the sequence may give back before it does.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// Tokens.
    pub(crate) position: usize,
    /// `None` where a model has no recurrent states.
    pub(crate) slot: Option<Place>,
    /// For each page table with a window, the pages that a token at this position sees; empty where they are not held.
    pub(crate) pages: Vec<Held>,
    /// How long it is kept.
    pub(crate) kept: Kept,
}

/// How long a snapshot is kept, and what it holds of layers with a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// No pages: it serves until those that it needs are given back, or others need its place.
    Beside,
    /// The pages that it needs, in the place of the last snapshot that did, and until the next such one: where a text may be gone back to for long.
    WithPages,
}

/// Pages of one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    /// Index of the first in the table.
    pub(crate) first: usize,
    /// The pages.
    pub(crate) pages: Vec<Place>,
}

/// Snapshots by position, the lowest first. The state before any token needs none.
#[derive(Debug, Clone)]
pub(crate) struct Snapshots {
    list: Vec<Snapshot>,
    most: usize,
    /// One more, for what follows at once: the next one takes its place.
    brief: Option<Snapshot>,
}

impl Snapshots {
    /// None yet, and at most so many.
    pub(crate) fn new(most: usize) -> Self {
        Self { list: Vec::new(), most, brief: None }
    }

    /// Slots of recurrent states that a sequence needs with at most so many snapshots: its own, theirs, and where it takes any one
    /// that is kept briefly and one more, which the next is copied to before another makes room.
    pub(crate) const fn n_slots(most: usize) -> usize {
        if most == 0 { 1 } else { 1 + most + 2 }
    }

    /// Adds the state at a position beyond the others'; one that leaves the smallest gap makes room where needed.
    pub(crate) fn push(&mut self, snapshot: Snapshot) {
        self.forget_from(snapshot.position);
        if snapshot.kept == Kept::WithPages {
            self.let_go();
        }
        self.list.push(snapshot);
        self.thin();
    }

    /// Changes how many are kept at most.
    pub(crate) fn set_most(&mut self, most: usize) {
        self.most = most;
        self.thin();
    }

    /// Drops those that are too many. The last two stay, since the states may be between them, and that which is kept with its pages.
    fn thin(&mut self) {
        if self.most == 0 {
            self.clear();
        }
        while self.list.len() > self.most {
            let position = |i: usize| i.checked_sub(1).map_or(0, |i| self.list[i].position);
            let gap = |i: &usize| self.list[i + 1].position - position(*i);
            let is_free = |i: &usize| self.list[*i].kept == Kept::Beside;
            let least = (0..self.list.len().saturating_sub(2)).filter(is_free).min_by_key(gap);
            self.list.remove(least.unwrap_or_default());
        }
    }

    /// Keeps one beside the others until the next such one comes.
    pub(crate) fn keep_briefly(&mut self, snapshot: Snapshot) {
        self.brief = Some(snapshot);
    }

    /// Drops the one that is kept briefly.
    pub(crate) fn forget_brief(&mut self) {
        self.brief = None;
    }

    /// Drops those at `position` and after it.
    pub(crate) fn forget_from(&mut self, position: usize) {
        self.retain(|snapshot| snapshot.position < position);
    }

    /// Drops those that cannot be gone back to; `can` is asked for each.
    pub(crate) fn retain(&mut self, can: impl Fn(&Snapshot) -> bool) {
        self.brief.take_if(|brief| !can(brief));
        self.list.retain(can);
    }

    /// Those that are kept for longer, the lowest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Snapshot> {
        self.list.iter()
    }

    /// The last one at or before `position`.
    pub(crate) fn at(&self, position: usize) -> Option<&Snapshot> {
        let listed = self.list.iter().rev().find(|snapshot| snapshot.position <= position);
        let brief = self.brief.as_ref().filter(|brief| brief.position <= position);
        brief.into_iter().chain(listed).max_by_key(|snapshot| snapshot.position)
    }

    /// The one that is kept with its pages.
    pub(crate) fn with_pages(&self) -> Option<&Snapshot> {
        self.list.iter().find(|snapshot| snapshot.kept == Kept::WithPages)
    }

    /// Lets go of the pages that earlier snapshots hold: one that holds some is enough.
    pub(crate) fn let_go(&mut self) {
        for snapshot in &mut self.list {
            snapshot.pages.clear();
            snapshot.kept = Kept::Beside;
        }
    }

    /// Position of the last one that is kept for longer.
    pub(crate) fn last(&self) -> usize {
        self.list.last().map_or(0, |snapshot| snapshot.position)
    }

    /// Drops all.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.brief = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: usize) -> Snapshot {
        Snapshot { position, slot: None, pages: Vec::new(), kept: Kept::Beside }
    }

    fn found(snapshots: &Snapshots, position: usize) -> Option<usize> {
        snapshots.at(position).map(|snapshot| snapshot.position)
    }

    #[test]
    fn the_nearest_at_or_before_is_found() {
        let mut snapshots = Snapshots::new(9);
        [10, 20].into_iter().for_each(|position| snapshots.push(at(position)));
        assert_eq!(found(&snapshots, 25), Some(20));
        assert_eq!(found(&snapshots, 20), Some(20));
        assert_eq!(found(&snapshots, 19), Some(10));
        assert_eq!(found(&snapshots, 9), None);
        snapshots.push(at(15));
        assert_eq!(found(&snapshots, 25), Some(15));
    }

    #[test]
    fn the_last_prompt_s_end_stays_however_long_the_text_after_it() {
        let mut snapshots = Snapshots::new(4);
        let end = |position| Snapshot { kept: Kept::WithPages, ..at(position) };
        snapshots.push(end(100));
        (101..=200).for_each(|position| snapshots.push(at(position)));
        assert_eq!(found(&snapshots, 100), Some(100));
        snapshots.push(end(300));
        (301..=400).for_each(|position| snapshots.push(at(position)));
        assert_eq!([300, 399, 400].map(|position| found(&snapshots, position)), [300, 399, 400].map(Some));
        snapshots.set_most(2);
        assert_eq!(snapshots.list.len(), 2);
    }

    #[test]
    fn a_sequence_that_keeps_none_is_gone_back_in_to_its_start() {
        let mut snapshots = Snapshots::new(0);
        snapshots.push(at(10));
        assert_eq!(found(&snapshots, 20), None);
    }

    #[test]
    fn one_that_is_kept_briefly_takes_no_other_s_place() {
        let mut snapshots = Snapshots::new(2);
        [10, 20].into_iter().for_each(|position| snapshots.push(at(position)));
        [23, 25].into_iter().for_each(|position| snapshots.keep_briefly(at(position)));
        assert_eq!([24, 25, 99].map(|position| found(&snapshots, position)), [Some(20), Some(25), Some(25)]);
        assert_eq!(snapshots.last(), 20);
        snapshots.forget_from(25);
        assert_eq!(found(&snapshots, 99), Some(20));
    }

    #[test]
    fn a_long_sequence_keeps_the_last_and_thins_the_others() {
        let mut snapshots = Snapshots::new(64);
        (1..=1000).for_each(|i| snapshots.push(at(i * 10)));
        assert_eq!(snapshots.list.len(), 64);
        assert_eq!(snapshots.last(), 10_000);
        assert_eq!(found(&snapshots, 9_999), Some(9_990));
        let largest = snapshots.list.windows(2).map(|w| w[1].position - w[0].position).max();
        assert!(largest <= Some(10_000 / 64 * 4), "{largest:?}");
    }
}
