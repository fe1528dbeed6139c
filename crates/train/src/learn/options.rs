//! How a model is made ready to learn.

use hala_plan::training::TrainOptions;

/// What a learner is made with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LearnerOptions {
    /// T, the most rows of a batch: memory for activations grows with it.
    pub n_rows: usize,
    /// The most tokens of a document; `None` for the model's own limit, or what inference takes where none is asked for.
    pub context: Option<usize>,
    /// Label smoothing, dropout, and what becomes of activations.
    pub plan: TrainOptions,
    /// What computes.
    pub compute: Compute,
}

/// What computes losses and gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compute {
    /// Plain loops with f64 sums on one thread: slow, and the truth that all else is tested against.
    Plain,
}
