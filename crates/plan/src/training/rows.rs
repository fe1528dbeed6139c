//! The rows of a training run: documents end to end.

use crate::error::BackendError;

/// The label of a row that predicts nothing: it adds nothing to the loss, nor to any gradient.
pub const IGNORE: u32 = u32::MAX;

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The losses and the gradients.
    Train {
        /// Of the draws of dropout; another for each run.
        seed: u64,
    },
    /// The losses alone, nothing dropped.
    Evaluate,
}

/// T rows of a training run.
#[derive(Debug, Clone, Copy)]
pub struct TrainRows<'a> {
    /// `[T]`: what each row reads.
    pub ids: &'a [u32],
    /// `[T]`: what each row predicts, or [`IGNORE`].
    pub labels: &'a [u32],
    /// `[T]`: how much each row's loss counts.
    pub weights: &'a [f32],
    /// The first row of each document, rising from 0.
    pub starts: &'a [u32],
}

impl TrainRows<'_> {
    /// The rows of each document, in their order.
    pub fn documents(&self) -> impl Iterator<Item = std::ops::Range<usize>> + Clone {
        let ends = self.starts[1..].iter().copied().chain([self.ids.len() as u32]);
        self.starts.iter().zip(ends).map(|(start, end)| *start as usize..end as usize)
    }

    /// Refuses rows that a kernel would index out of bounds with: more than `n_tokens`, lists of other lengths, ids outside of a vocabulary,
    /// documents that are empty or longer than `n_positions`, weights that are no numbers from 0 on.
    ///
    /// # Errors
    /// As said, with what was found.
    pub fn check(&self, limits: &Limits) -> Result<(), BackendError> {
        let Self { ids, labels, weights, starts } = *self;
        let limit = |what, found, limit| {
            if found > limit { Err(BackendError::Limit { what, found, limit }) } else { Ok(()) }
        };
        if ids.is_empty() {
            return Err(BackendError::Limit { what: "rows in one run", found: 0, limit: limits.n_tokens });
        }
        limit("rows in one run", ids.len(), limits.n_tokens)?;
        for (what, n) in [("labels of a run", labels.len()), ("weights of a run", weights.len())] {
            if n != ids.len() {
                return Err(BackendError::Limit { what, found: n, limit: ids.len() });
            }
        }
        let n_vocab = limits.n_vocab;
        let wrong = |id: &&u32| **id as usize >= n_vocab;
        if let Some(id) = ids.iter().find(wrong).or(labels.iter().filter(|l| **l != IGNORE).find(wrong)) {
            return Err(BackendError::Id { id: *id, n_vocab });
        }
        let rises = starts.first() == Some(&0) && starts.is_sorted_by(|a, b| a < b);
        let last = starts.last().map_or(usize::MAX, |start| *start as usize);
        if !rises || last >= ids.len() {
            return Err(BackendError::Limit {
                what: "starts of documents, which must rise from 0",
                found: last,
                limit: ids.len() - 1,
            });
        }
        let longest = self.documents().map(|rows| rows.len()).max().unwrap_or(0);
        limit("rows of a document", longest, limits.n_positions)?;
        if let Some(row) = weights.iter().position(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            let what = "the row whose weight is no number from 0 on";
            return Err(BackendError::Limit { what, found: row, limit: 0 });
        }
        Ok(())
    }
}

/// What the rows of a run are held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// T, the most rows.
    pub n_tokens: usize,
    /// V.
    pub n_vocab: usize,
    /// S, the most rows of a document.
    pub n_positions: usize,
}
