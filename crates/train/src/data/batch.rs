//! Documents end to end, as one run of a training Plan takes them.

pub use hala_plan::training::IGNORE;

use crate::data::document::Document;

/// Rows of a training run: documents end to end, each whole.
///
/// Attention, the convolution's taps and positions stay inside a document. The four fields say all there is; `T` is the number of rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// `[T]`: what each row reads.
    pub tokens: Vec<u32>,
    /// `[T]`: what each row is to predict, shifted already: the id that follows its token in the document, or [`IGNORE`].
    pub labels: Vec<u32>,
    /// `[T]`: how much each row's loss counts; 0 where its label is [`IGNORE`], above 0 everywhere else. The loss of a step is the sum of
    /// weight · loss over the rows of all its batches, divided by the sum of their weights.
    pub weights: Vec<f32>,
    /// The first row of each document, in rising order; the first one is 0. Rows of padding are documents of one row each.
    pub starts: Vec<u32>,
}

impl Batch {
    /// The number of rows, T.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.tokens.len()
    }

    /// How many rows have a label.
    #[must_use]
    pub fn n_labels(&self) -> usize {
        self.labels.iter().filter(|label| **label != IGNORE).count()
    }

    /// The sum of the weights, which the loss of a step is divided by.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weights.iter().copied().map(f64::from).sum()
    }

    /// Adds a document: the rows up to its last label ([`Document::n_rows`]). One without a label adds nothing.
    pub fn push(&mut self, document: &Document) {
        let n_rows = document.n_rows();
        if n_rows == 0 {
            return;
        }
        self.starts.push(start(self.n_rows()));
        self.tokens.extend_from_slice(&document.ids[..n_rows]);
        for (id, weight) in document.ids.iter().zip(&document.weights).skip(1).take(n_rows) {
            let is_label = *weight > 0.0;
            self.labels.push(if is_label { *id } else { IGNORE });
            self.weights.push(if is_label { *weight } else { 0.0 });
        }
    }

    /// Fills up to `n_rows` rows with `token`; each is a document of its own, which nothing attends to and which predicts nothing. A batch that has
    /// as many rows or more stays as it is.
    pub fn pad_to(&mut self, n_rows: usize, token: u32) {
        self.starts.extend((self.n_rows()..n_rows).map(start));
        let n_rows = n_rows.max(self.n_rows());
        self.tokens.resize(n_rows, token);
        self.labels.resize(n_rows, IGNORE);
        self.weights.resize(n_rows, 0.0);
    }
}

/// A row as it is written in `starts`: no batch has 2³² rows.
fn start(row: usize) -> u32 {
    u32::try_from(row).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(ids: &[u32], weights: &[f32]) -> Document {
        Document { ids: ids.to_vec(), weights: weights.to_vec() }
    }

    #[test]
    fn labels_are_the_next_ids_of_the_same_document() {
        let mut batch = Batch::default();
        batch.push(&document(&[1, 10, 11, 12, 9], &[0.0, 0.0, 1.0, 0.5, 0.0]));
        batch.push(&document(&[1, 20], &[0.0, 1.0]));
        assert_eq!(batch.tokens, [1, 10, 11, 1]);
        assert_eq!(batch.labels, [IGNORE, 11, 12, 20]);
        assert_eq!(batch.weights, [0.0, 1.0, 0.5, 1.0]);
        assert_eq!(batch.starts, [0, 3]);
        assert_eq!((batch.n_labels(), batch.weight()), (3, 2.5));
    }

    #[test]
    fn a_document_without_labels_adds_nothing() {
        let mut batch = Batch::default();
        batch.push(&document(&[1, 2, 3], &[1.0, 0.0, 0.0]));
        assert_eq!(batch, Batch::default());
    }

    #[test]
    fn rows_of_padding_stand_alone_and_predict_nothing() {
        let mut batch = Batch::default();
        batch.push(&document(&[1, 20], &[0.0, 1.0]));
        let weight = batch.weight();
        batch.pad_to(3, 0);
        assert_eq!(batch.tokens, [1, 0, 0]);
        assert_eq!(batch.labels, [20, IGNORE, IGNORE]);
        assert_eq!(batch.starts, [0, 1, 2]);
        assert_eq!(batch.weight(), weight);
        batch.pad_to(2, 0);
        assert_eq!(batch.n_rows(), 3);
    }
}
