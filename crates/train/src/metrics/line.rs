//! The lines of metrics.jsonl.

use serde::{Deserialize, Serialize};

/// A line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// An update.
    Step(Stepped),
    /// An evaluation.
    Evaluation(Evaluated),
}

impl Line {
    /// The step that it belongs to.
    #[must_use]
    pub fn step(&self) -> u64 {
        match self {
            Self::Step(line) => line.step,
            Self::Evaluation(line) => line.step,
        }
    }
}

/// What an update has seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stepped {
    /// The step, from 1.
    pub step: u64,
    /// The mean loss of its labels, in nats, before the update.
    pub loss: f64,
    /// The learning rate.
    pub learning_rate: f64,
    /// The norm of the gradient, before it was clipped.
    pub gradient_norm: f64,
    /// Whether it was clipped.
    pub is_clipped: bool,
    /// The epoch, from 0.
    pub epoch: u32,
    /// Rows of its batches.
    pub n_rows: u64,
    /// Labels among them.
    pub n_labels: u64,
    /// Rows a second, with all that the step took.
    pub rows_per_second: f64,
}

/// What an evaluation has found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evaluated {
    /// The step after which it was.
    pub step: u64,
    /// The mean loss of held-out labels, in nats.
    pub loss: f64,
    /// Labels among them.
    pub n_labels: u64,
    /// chrF++ of greedy translations of held-out rows, from 0 to 100, where there are some.
    pub chrf: Option<f64>,
    /// Whether no evaluation before was better.
    pub is_best: bool,
}
