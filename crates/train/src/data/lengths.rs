//! How long documents are, in rows of a batch.

use std::collections::BTreeMap;

use serde::Serialize;

/// How many documents there are of each length.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lengths(BTreeMap<usize, u64>);

/// Documents of up to so many rows, and more than in the line before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct UpTo {
    /// The most rows.
    pub n_rows: usize,
    /// How many documents.
    pub n_documents: u64,
}

impl Lengths {
    /// Adds a document.
    pub(crate) fn add(&mut self, n_rows: usize) {
        *self.0.entry(n_rows).or_default() += 1;
    }

    /// How many documents there are.
    #[must_use]
    pub fn n_documents(&self) -> u64 {
        self.0.values().sum()
    }

    /// The length that a share of the documents, from 0 to 1, does not pass; 0 without documents.
    #[must_use]
    pub fn quantile(&self, share: f64) -> usize {
        let wanted = (share * self.n_documents() as f64).ceil().max(1.0) as u64;
        let mut n_below = 0;
        let reaches = |(n_rows, n): (&usize, &u64)| {
            n_below += n;
            (n_below >= wanted).then_some(*n_rows)
        };
        self.0.iter().find_map(reaches).unwrap_or(0)
    }

    /// The longest one; 0 without documents.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.0.keys().next_back().copied().unwrap_or(0)
    }

    /// How many documents lie between powers of two, from the shortest to the longest.
    #[must_use]
    pub fn histogram(&self) -> Vec<UpTo> {
        let mut bins: Vec<UpTo> = Vec::new();
        for (length, n) in &self.0 {
            let n_rows = length.next_power_of_two();
            match bins.last_mut() {
                Some(bin) if bin.n_rows == n_rows => bin.n_documents += n,
                _ => {
                    // Bins between two that have documents are shown empty.
                    let mut between = bins.last().map_or(n_rows, |bin| 2 * bin.n_rows);
                    while between < n_rows {
                        bins.push(UpTo { n_rows: between, n_documents: 0 });
                        between *= 2;
                    }
                    bins.push(UpTo { n_rows, n_documents: *n });
                }
            }
        }
        bins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(all: &[usize]) -> Lengths {
        let mut lengths = Lengths::default();
        all.iter().for_each(|n_rows| lengths.add(*n_rows));
        lengths
    }

    #[test]
    fn quantiles_are_lengths_that_occur() {
        let lengths = lengths(&[10, 20, 30, 40]);
        assert_eq!([0.0, 0.25, 0.5, 0.51, 1.0].map(|share| lengths.quantile(share)), [10, 10, 20, 30, 40]);
        assert_eq!(
            (lengths.longest(), Lengths::default().quantile(0.5), Lengths::default().longest()),
            (40, 0, 0)
        );
    }

    #[test]
    fn bins_go_from_the_shortest_to_the_longest_without_a_gap() {
        let bins: Vec<_> =
            lengths(&[3, 4, 5, 33, 64]).histogram().iter().map(|bin| (bin.n_rows, bin.n_documents)).collect();
        assert_eq!(bins, [(4, 2), (8, 1), (16, 0), (32, 0), (64, 2)]);
        assert!(Lengths::default().histogram().is_empty());
    }
}
