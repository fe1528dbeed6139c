//! chrF++ of translations: F₂ of the character n-grams up to 6 and the word n-grams up to 2 that they share with references.
//!
//! Popović, "chrF++: words helping character n-grams" (WMT 2017), computed as sacreBLEU does: white space does not count among characters, a word's
//! last (or else first) mark of punctuation is a word of its own, and orders that a text is too short for are left out of the mean.

use std::collections::HashMap;
use std::hash::Hash;

const N_CHARACTERS: usize = 6;
const N_WORDS: usize = 2;
/// How much more recall counts than precision, squared.
const FACTOR: f64 = 4.0;

/// Counts over the translations of a corpus; their score is one of all together, not a mean of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chrf {
    orders: [Order; N_CHARACTERS + N_WORDS],
}

/// n-grams of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Order {
    n_translated: u64,
    n_expected: u64,
    n_shared: u64,
}

impl Chrf {
    /// Adds a translation with what was expected.
    pub fn add(&mut self, translated: &str, expected: &str) {
        let characters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<Vec<char>>();
        let (own, other) = (characters(translated), characters(expected));
        for (order, n) in self.orders[..N_CHARACTERS].iter_mut().zip(1..) {
            order.add(&own, &other, n);
        }
        let (own, other) = (words(translated), words(expected));
        for (order, n) in self.orders[N_CHARACTERS..].iter_mut().zip(1..) {
            order.add(&own, &other, n);
        }
    }

    /// The score, from 0 to 100.
    #[must_use]
    pub fn score(&self) -> f64 {
        let (mut precision, mut recall, mut n) = (0.0, 0.0, 0.0);
        for Order { n_translated, n_expected, n_shared } in self.orders {
            if n_translated > 0 && n_expected > 0 {
                precision += n_shared as f64 / n_translated as f64;
                recall += n_shared as f64 / n_expected as f64;
                n += 1.0;
            }
        }
        if precision + recall == 0.0 {
            return 0.0;
        }
        let (precision, recall) = (precision / n, recall / n);
        100.0 * (1.0 + FACTOR) * precision * recall / (FACTOR * precision + recall)
    }
}

impl Order {
    fn add<T: Eq + Hash>(&mut self, translated: &[T], expected: &[T], n: usize) {
        let mut left: HashMap<&[T], u64> = HashMap::new();
        expected.windows(n).for_each(|gram| *left.entry(gram).or_default() += 1);
        self.n_expected += expected.windows(n).len() as u64;
        if left.is_empty() {
            // As sacreBLEU has it: against nothing, nothing was translated.
            return;
        }
        for gram in translated.windows(n) {
            self.n_translated += 1;
            if let Some(left) = left.get_mut(gram).filter(|left| **left > 0) {
                *left -= 1;
                self.n_shared += 1;
            }
        }
    }
}

/// The words of a text, a mark of ASCII punctuation at the end of one, or else at its beginning, apart.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        let is_mark = |c: Option<char>| c.is_some_and(|c| c.is_ascii_punctuation());
        let mut inner = word.chars();
        let (first, last) = (inner.next(), inner.next_back());
        match (first, last) {
            (_, Some(_)) if is_mark(last) => words.extend([&word[..word.len() - 1], &word[word.len() - 1..]]),
            (_, Some(_)) if is_mark(first) => words.extend([&word[..1], &word[1..]]),
            _ => words.push(word),
        }
    }
    words
}
