//! What was read: rows, documents, tokens, and the rows that could not be trained on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::data::document::Document;
use crate::fault::FaultKind;

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of the files; a pair is one for each way that is learnt.
    pub n_rows: u64,
    /// Documents, more than rows where a template writes earlier turns in another way once there are later ones.
    pub n_documents: u64,
    /// Their ids.
    pub n_ids: u64,
    /// Their rows in batches ([`Document::n_rows`]).
    pub n_batch_rows: u64,
    /// Ids that are labels.
    pub n_supervised: u64,
    /// Rows of the files that were left out, by what is wrong with them.
    pub refused: BTreeMap<FaultKind, u64>,
}

impl Counts {
    /// Adds a document.
    pub(crate) fn add(&mut self, document: &Document) {
        self.n_documents += 1;
        self.n_ids += document.ids.len() as u64;
        self.n_batch_rows += document.n_rows() as u64;
        self.n_supervised += document.n_supervised() as u64;
    }

    /// Adds a row that was left out.
    pub(crate) fn refuse(&mut self, kind: FaultKind) {
        *self.refused.entry(kind).or_default() += 1;
    }

    /// Rows that were left out.
    #[must_use]
    pub fn n_refused(&self) -> u64 {
        self.refused.values().sum()
    }

    /// The share of ids that are labels, from 0 to 1; 0 where there are none.
    #[must_use]
    pub fn supervised_share(&self) -> f64 {
        if self.n_ids == 0 { 0.0 } else { self.n_supervised as f64 / self.n_ids as f64 }
    }
}
