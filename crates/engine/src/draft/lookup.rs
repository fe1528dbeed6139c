//! Where the end of a text came before: chains of positions by their last tokens, as in LZ77 compressors.

use std::collections::HashMap;

/// Tokens that must be equal for a place to be found at all: one alone recurs everywhere and tells little.
pub(crate) const LEAST: usize = 2;

/// Tokens that are compared at most: what has been equal for so long is the same passage.
pub(crate) const MOST: usize = 16;

/// Places that are compared for each search at most, the latest first.
const N_PLACES: usize = 8;

/// A place where the last tokens of the text came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// Index of the token that followed there.
    pub(crate) next: usize,
    /// Tokens before it that are equal to the last of the text, up to [`MOST`].
    pub(crate) n: usize,
}

/// The tokens of a prompt and its text. A token takes O(1) to add and a search O(1), and all memory is a few words a token.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lookup {
    ids: Vec<u32>,
    /// The last position of each pair of tokens, that of the second one.
    last: HashMap<[u32; LEAST], u32>,
    /// For each position the one before it with the same pair; its own where there is none.
    before: Vec<u32>,
}

impl Lookup {
    /// Adds a token.
    pub(crate) fn push(&mut self, id: u32) {
        let position = self.ids.len() as u32;
        self.ids.push(id);
        let before = self.last_pair().and_then(|pair| self.last.insert(pair, position));
        self.before.push(before.unwrap_or(position));
    }

    /// The token at an index.
    pub(crate) fn id(&self, i: usize) -> Option<u32> {
        self.ids.get(i).copied()
    }

    /// The place that the end of the text is equal to for longest, the latest of several.
    pub(crate) fn find(&self) -> Option<Found> {
        let mut at = self.ids.len().checked_sub(1)?;
        let mut best: Option<Found> = None;
        for _ in 0..N_PLACES {
            let before = self.before[at] as usize;
            if before == at {
                break;
            }
            at = before;
            let n = self.n_equal(at);
            if best.is_none_or(|best| n > best.n) {
                best = Some(Found { next: at + 1, n });
            }
            if n == MOST {
                break;
            }
        }
        best
    }

    /// What followed a place, for `n` tokens; where that reaches the end of the text, what it says comes next goes on.
    pub(crate) fn following(&self, found: Found, n: usize) -> Vec<u32> {
        let mut ids = Vec::with_capacity(n);
        for i in found.next..found.next + n {
            let id = self.id(i).or_else(|| ids.get(i - self.ids.len()).copied());
            ids.extend(id);
        }
        ids
    }

    fn last_pair(&self) -> Option<[u32; LEAST]> {
        self.ids.last_chunk().copied()
    }

    /// Tokens up to `at` that are equal to the last of the text.
    fn n_equal(&self, at: usize) -> usize {
        let there = self.ids[..=at].iter().rev();
        self.ids.iter().rev().zip(there).take(MOST).take_while(|(a, b)| a == b).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ids: &[u32]) -> Lookup {
        let mut lookup = Lookup::default();
        ids.iter().for_each(|id| lookup.push(*id));
        lookup
    }

    #[test]
    fn the_end_is_found_where_it_came_before() {
        let lookup = of(&[5, 1, 2, 3, 4, 9, 1, 2]);
        let found = lookup.find().unwrap();
        assert_eq!(found, Found { next: 3, n: 2 });
        assert_eq!(lookup.following(found, 3), [3, 4, 9]);
        assert_eq!(of(&[1, 2, 3, 4, 2]).find(), None);
        assert_eq!(of(&[]).find(), None);
        assert_eq!(of(&[7]).find(), None);
    }

    #[test]
    fn the_longest_wins_and_the_latest_of_equals() {
        assert_eq!(of(&[8, 1, 2, 6, 7, 1, 2, 5, 8, 1, 2]).find(), Some(Found { next: 3, n: 3 }));
        assert_eq!(of(&[1, 2, 6, 7, 1, 2, 5, 8, 1, 2]).find(), Some(Found { next: 6, n: 2 }));
    }

    #[test]
    fn a_text_that_repeats_itself_goes_on_with_itself() {
        let lookup = of(&[4, 7, 8, 9, 7, 8, 9, 7]);
        assert_eq!(lookup.following(lookup.find().unwrap(), 7), [8, 9, 7, 8, 9, 7, 8]);
        let lookup = of(&[3, 3, 3]);
        assert_eq!(lookup.following(lookup.find().unwrap(), 4), [3, 3, 3, 3]);
    }

    #[test]
    fn it_finds_what_a_plain_search_finds() {
        let mut state = 1u64;
        let mut lookup = Lookup::default();
        for i in 0..2000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            lookup.push((state >> 60) as u32 % 5);
            let ids = &lookup.ids;
            let n_at = |at: usize| (0..=at.min(MOST - 1)).take_while(|k| ids[at - k] == ids[i - k]).count();
            let places: Vec<usize> = (1..i).rev().filter(|at| n_at(*at) >= LEAST).take(N_PLACES).collect();
            let longest = places.iter().map(|at| n_at(*at)).max();
            let latest = places.iter().find(|at| Some(n_at(**at)) == longest);
            let expected = latest.map(|at| Found { next: at + 1, n: n_at(*at) });
            assert_eq!(lookup.find(), expected, "after {i}");
        }
    }

    #[test]
    fn each_token_is_kept_once_however_long_the_text() {
        let mut lookup = Lookup::default();
        (0..10_000).for_each(|i| lookup.push(i % 10));
        assert_eq!((lookup.before.len(), lookup.last.len()), (10_000, 10));
    }
}
