//! What every model family offers.

use std::fmt;

use hala_plan::{PAGE, Plan, PoolSize, StateSpec, TableSpec};
use hala_tensor::DType;

use crate::error::ModelError;
use crate::specs::WeightSpec;

/// What a user may want to know of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// The family, as config.json's `model_type` has it.
    pub family: &'static str,
    /// V, ids that the model knows.
    pub n_vocab: usize,
    /// L, layers.
    pub n_layers: usize,
    /// D, model width.
    pub width: usize,
    /// Tokens that the model was made for.
    pub max_context: usize,
    /// S, tokens that a sequence can hold.
    pub context: usize,
    /// Elements in all weights of the checkpoint.
    pub n_parameters: usize,
    /// Bytes of KV cache for one token.
    pub cache_bytes_per_token: usize,
}

/// Which rows of logits a Plan computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogitRows {
    /// Those that a run wants, at most so many: `[W, V]`.
    Wanted(usize),
    /// Every row's, `[T, V]`.
    All,
    /// Every row's, `[T, V]`, which stay on the device: it chooses the next tokens there.
    Chosen,
}

/// What a Plan is recorded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanShape {
    /// T, the most rows of one run.
    pub n_tokens: usize,
    /// The logits wanted.
    pub logits: LogitRows,
}

/// What every model has, whatever its family.
#[derive(Debug)]
pub struct Parts {
    /// Sizes and limits.
    pub facts: Facts,
    /// The weights, in the order of their ids.
    pub weights: Vec<WeightSpec>,
    /// The states of a sequence, in the order of their ids.
    pub states: Vec<StateSpec>,
    /// The kinds of layers with a cache, in the order of a sequence's page tables.
    pub tables: Vec<TableSpec>,
}

/// A model: the weights and states that it needs, and its Plans.
pub trait Model: fmt::Debug + Send + Sync {
    /// What it was opened with.
    fn parts(&self) -> &Parts;

    /// Sizes and limits.
    fn facts(&self) -> &Facts {
        &self.parts().facts
    }

    /// The weights, in the order of their ids.
    fn weights(&self) -> &[WeightSpec] {
        &self.parts().weights
    }

    /// The states of a sequence, in the order of their ids.
    fn states(&self) -> &[StateSpec] {
        &self.parts().states
    }

    /// The kinds of layers with a cache, in the order of a sequence's page tables.
    fn tables(&self) -> &[TableSpec] {
        &self.parts().tables
    }

    /// Pages of each table that a sequence of `n_tokens` holds while `n_rows` more are computed: of layers with a window those that it
    /// still sees, and those that the new rows fill.
    fn n_pages(&self, n_tokens: usize, n_rows: usize) -> Vec<usize> {
        let pages = |table: &TableSpec| {
            let n_seen = table.window.map_or(n_tokens, |window| n_tokens.min(window as usize + PAGE));
            (n_seen + n_rows).div_ceil(PAGE) + usize::from(n_seen < n_tokens)
        };
        self.tables().iter().map(pages).collect()
    }

    /// Bytes of states of `n_sequences`, each with a slot and `n_tokens` in its caches.
    fn state_bytes(&self, n_sequences: usize, n_tokens: usize) -> usize {
        let n_pages = self.n_pages(n_tokens, 0).into_iter().map(|n| n * n_sequences).collect();
        PoolSize { n_slots: n_sequences, n_pages }.n_bytes(self.states())
    }

    /// Records the forward pass; `dtypes` tells how each weight is held. The output is named `logits`; there is none where
    /// the device chooses.
    ///
    /// # Errors
    /// Shapes or element types that do not fit together.
    fn record(&self, shape: PlanShape, dtypes: &[DType]) -> Result<Plan, ModelError>;
}
