//! Which documents share a batch: whole ones alone, end to end up to so many rows.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::data::batch::Batch;
use crate::data::document::Document;
use crate::data::order::Place;

/// How documents are put into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// Each into the first of several open batches that has room: few rows stay empty.
    #[default]
    FirstFit,
    /// In their order: a batch is closed where the next one does not fit.
    InOrder,
    /// Each alone.
    Alone,
}

/// Open batches at once: with 64 of them texts of all lengths fill over 98 % of the rows, and a document waits no longer than these take.
const MAX_OPEN: usize = 64;

/// A document and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Placed {
    pub(crate) origin: Origin,
    pub(crate) document: Document,
}

/// A row, which of its documents, and a hash of its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) place: Place,
    pub(crate) document: u32,
    pub(crate) ids: u64,
}

/// Documents that will be a batch.
#[derive(Debug, Default)]
pub(crate) struct Bin {
    n_rows: usize,
    pub(crate) documents: Vec<Placed>,
}

impl Bin {
    pub(crate) fn push(&mut self, placed: Placed) {
        self.n_rows += placed.document.n_rows();
        self.documents.push(placed);
    }

    pub(crate) fn batch(&self) -> Batch {
        let mut batch = Batch::default();
        self.documents.iter().for_each(|placed| batch.push(&placed.document));
        batch
    }

    fn origins(&self) -> Vec<Origin> {
        self.documents.iter().map(|placed| placed.origin).collect()
    }
}

/// Batches that are open, and those that are closed and wait to be taken.
#[derive(Debug)]
pub(crate) struct Packer {
    packing: Packing,
    max_rows: usize,
    open: Vec<Bin>,
    closed: VecDeque<Bin>,
}

/// What a packer holds, by origins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Held {
    pub(crate) open: Vec<Vec<Origin>>,
    pub(crate) closed: Vec<Vec<Origin>>,
}

impl Packer {
    pub(crate) fn new(packing: Packing, max_rows: usize) -> Self {
        Self { packing, max_rows, open: Vec::new(), closed: VecDeque::new() }
    }

    /// Adds a document, which has at most as many rows as a batch.
    pub(crate) fn add(&mut self, placed: Placed) {
        let n_rows = placed.document.n_rows();
        let has_room = |bin: &Bin| bin.n_rows + n_rows <= self.max_rows;
        let max_open = if self.packing == Packing::FirstFit { MAX_OPEN } else { 1 };
        let at = match self.packing {
            Packing::Alone => None,
            Packing::FirstFit | Packing::InOrder => self.open.iter().position(has_room),
        };
        let at = at.unwrap_or_else(|| {
            if self.open.len() == max_open {
                self.close_fullest();
            }
            self.open.push(Bin::default());
            self.open.len() - 1
        });
        self.open[at].push(placed);
        if self.open[at].n_rows == self.max_rows {
            let full = self.open.remove(at);
            self.closed.push_back(full);
        }
    }

    /// The next batch that is closed.
    pub(crate) fn take(&mut self) -> Option<Bin> {
        self.closed.pop_front()
    }

    /// Whether no document waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.closed.is_empty()
    }

    /// Closes all: an epoch has ended.
    pub(crate) fn close(&mut self) {
        self.closed.extend(self.open.drain(..));
    }

    pub(crate) fn held(&self) -> Held {
        Held {
            open: self.open.iter().map(Bin::origins).collect(),
            closed: self.closed.iter().map(Bin::origins).collect(),
        }
    }

    /// Holds these instead.
    pub(crate) fn hold(&mut self, open: Vec<Bin>, closed: Vec<Bin>) {
        (self.open, self.closed) = (open, closed.into());
    }

    fn close_fullest(&mut self) {
        // Of equals the first.
        let fullest = self.open.iter().enumerate().rev().max_by_key(|(_, bin)| bin.n_rows).map(|(i, _)| i);
        if let Some(i) = fullest {
            let bin = self.open.remove(i);
            self.closed.push_back(bin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document of so many rows.
    fn placed(n_rows: usize) -> Placed {
        let place = Place { file: 0, row: 0, line: n_rows as u64, offset: 0 };
        let mut weights = vec![0.0; n_rows + 1];
        weights[n_rows] = 1.0;
        let document = Document { ids: vec![n_rows as u32; n_rows + 1], weights };
        Placed { origin: Origin { place, document: 0, ids: 0 }, document }
    }

    /// The rows of the documents of each batch.
    fn packed(packing: Packing, max_rows: usize, documents: &[usize]) -> Vec<Vec<usize>> {
        let mut packer = Packer::new(packing, max_rows);
        documents.iter().for_each(|n_rows| packer.add(placed(*n_rows)));
        packer.close();
        let rows = |bin: Bin| bin.documents.iter().map(|placed| placed.document.n_rows()).collect();
        std::iter::from_fn(|| packer.take().map(rows)).collect()
    }

    #[test]
    fn documents_fill_the_first_batch_that_has_room() {
        let found = packed(Packing::FirstFit, 8, &[5, 4, 3, 2, 6, 1]);
        assert_eq!(found, [vec![5, 3], vec![4, 2, 1], vec![6]]);
    }

    #[test]
    fn in_order_a_batch_is_closed_where_the_next_document_does_not_fit() {
        let found = packed(Packing::InOrder, 8, &[5, 4, 3, 2, 6, 1]);
        assert_eq!(found, [vec![5], vec![4, 3], vec![2, 6], vec![1]]);
    }

    #[test]
    fn alone_each_document_is_a_batch() {
        assert_eq!(packed(Packing::Alone, 8, &[1, 8, 3]), [vec![1], vec![8], vec![3]]);
    }

    #[test]
    fn few_rows_stay_empty_and_no_document_is_lost_or_cut() {
        let mut draws = crate::data::random::Draws::new(1);
        let documents: Vec<usize> = (0..5000).map(|_| 1 + draws.below(300) as usize).collect();
        let batches = packed(Packing::FirstFit, 512, &documents);
        let mut found: Vec<usize> = batches.concat();
        assert!(batches.iter().all(|batch| batch.iter().sum::<usize>() <= 512));
        // The last ones are closed as they are.
        let full = batches.len() - MAX_OPEN;
        let rows: usize = batches.iter().take(full).flatten().sum();
        assert!(rows as f64 > 0.98 * 512.0 * full as f64, "{rows} of {}", 512 * full);
        let mut expected = documents;
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn documents_of_a_pack_lie_end_to_end_with_their_starts() {
        let mut packer = Packer::new(Packing::FirstFit, 6);
        [1, 2, 3].into_iter().for_each(|n_rows| packer.add(placed(n_rows)));
        let batch = packer.take().unwrap().batch();
        assert_eq!(batch.starts, [0, 1, 3]);
        assert_eq!(batch.tokens, [1, 2, 2, 3, 3, 3]);
        // No label is of another document.
        use crate::data::batch::IGNORE;
        assert_eq!(batch.labels, [1, IGNORE, 2, IGNORE, IGNORE, 3]);
    }
}
