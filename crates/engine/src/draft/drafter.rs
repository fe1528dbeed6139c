//! The drafts of one text: what is proposed, and what became of it.

use std::collections::VecDeque;

use crate::draft::acceptance::Acceptance;
use crate::draft::costs::MOST_ROWS;
use crate::draft::lookup::{Found, LEAST, Lookup, MOST};
use crate::draft::mode::Draft;
use crate::usage::CompletionDetails;

/// Proposes the next tokens of a text.
#[derive(Debug)]
pub(crate) struct Drafter {
    lookup: Lookup,
    /// The place that the text follows; it is looked for again only where the text goes another way.
    place: Option<Found>,
    acceptance: Acceptance,
    /// Drafts of the last run that the text has not come to.
    open: VecDeque<u32>,
    is_measured: bool,
}

impl Drafter {
    /// For a text after `prompt`; `None` where none is to be drafted.
    pub(crate) fn new(draft: Draft, prompt: &[u32]) -> Option<Self> {
        if draft == Draft::Off {
            return None;
        }
        let mut lookup = Lookup::default();
        prompt.iter().for_each(|id| lookup.push(*id));
        let (place, acceptance, open) = (lookup.find(), Acceptance::default(), VecDeque::new());
        Some(Self { lookup, place, acceptance, open, is_measured: draft == Draft::Auto })
    }

    /// Takes the text's next token: the verdict on the draft for it, where there is one, which is added to `counts`.
    pub(crate) fn push(&mut self, id: u32, counts: &mut CompletionDetails) {
        match self.open.pop_front() {
            Some(draft) if draft == id => counts.accepted_prediction_tokens += 1,
            Some(_) => {
                counts.rejected_prediction_tokens += 1;
                self.close(counts);
            }
            None => {}
        }
        self.lookup.push(id);
        let place = self.place.take();
        let is_right = |place: &Found| self.lookup.id(place.next) == Some(id);
        if let Some(place) = &place {
            self.acceptance.note(place.n, is_right(place));
        }
        let followed =
            place.filter(is_right).map(|Found { next, n }| Found { next: next + 1, n: (n + 1).min(MOST) });
        self.place = followed.or_else(|| self.lookup.find());
        debug_assert!(self.place.is_none_or(|place| place.n >= LEAST));
    }

    /// The chances that the first, the first two, … of at most `most` drafts are all right; none where the text repeats nothing. Where
    /// it is not measured what pays, they are certain.
    pub(crate) fn chances(&self, most: usize) -> Vec<f32> {
        let most = most.min(MOST_ROWS);
        match self.place {
            None => Vec::new(),
            Some(place) if self.is_measured => self.acceptance.chances(place.n, most),
            Some(_) => vec![1.0; most],
        }
    }

    /// The next `n` drafts, for one run.
    pub(crate) fn propose(&mut self, n: usize) -> Vec<u32> {
        let drafts = self.place.map_or(Vec::new(), |place| self.lookup.following(place, n));
        self.open = drafts.iter().copied().collect();
        drafts
    }

    /// Notes that nothing came of the last run.
    pub(crate) fn abandon(&mut self) {
        self.open.clear();
    }

    /// Notes that the text does not come to the drafts that are left.
    pub(crate) fn close(&mut self, counts: &mut CompletionDetails) {
        counts.rejected_prediction_tokens += self.open.len();
        self.open.clear();
    }

    /// Whether drafts are only worth it where they pay.
    pub(crate) fn is_measured(&self) -> bool {
        self.is_measured
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(counts: CompletionDetails) -> [usize; 2] {
        [counts.accepted_prediction_tokens, counts.rejected_prediction_tokens]
    }

    #[test]
    fn drafts_are_counted_by_what_became_of_them() {
        let mut counts = CompletionDetails::default();
        let mut drafter = Drafter::new(Draft::Lookup, &[1, 2, 3, 4, 5, 6, 1, 2]).unwrap();
        assert_eq!(drafter.propose(4), [3, 4, 5, 6]);
        [3, 4, 9].into_iter().for_each(|id| drafter.push(id, &mut counts));
        assert_eq!(told(counts), [2, 2]);
        assert!(drafter.chances(4).is_empty() && drafter.propose(4).is_empty());
        [1, 2].into_iter().for_each(|id| drafter.push(id, &mut counts));
        assert_eq!(drafter.propose(2), [3, 4]);
        drafter.abandon();
        drafter.push(3, &mut counts);
        assert_eq!(told(counts), [2, 2]);
        assert_eq!(drafter.propose(3), [4, 9, 1]);
        drafter.close(&mut counts);
        assert_eq!(told(counts), [2, 5]);
    }

    #[test]
    fn verdicts_come_without_drafts_too() {
        let mut counts = CompletionDetails::default();
        let mut drafter = Drafter::new(Draft::Auto, &[1, 2, 3, 4, 5, 6, 7, 8, 1, 2]).unwrap();
        assert_eq!(drafter.chances(1), [0.5]);
        [3, 4].into_iter().for_each(|id| drafter.push(id, &mut counts));
        drafter.push(9, &mut counts);
        [1, 2].into_iter().for_each(|id| drafter.push(id, &mut counts));
        assert!(drafter.chances(1)[0] > 0.5);
        assert_eq!(told(counts), [0, 0]);
    }

    #[test]
    fn off_is_nothing_at_all() {
        assert!(Drafter::new(Draft::Off, &[1, 2, 1, 2]).is_none());
    }
}
