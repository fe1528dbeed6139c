//! What the learner of a run is made with.

use hala_plan::training::{Activations, TrainOptions};
use hala_weights::Checkpoint;

use crate::config::{self, TrainConfig};
use crate::error::TrainError;
use crate::learn::{Compute, LearnerOptions, Products};

/// What computes, by the settings.
///
/// # Errors
/// A config.json that says no limit that is a number.
pub(super) fn learner_options(
    config: &TrainConfig,
    checkpoint: &Checkpoint,
) -> Result<LearnerOptions, TrainError> {
    let products = match config.products {
        config::Products::F32 => Products::F32,
        config::Products::Bf16 => Products::Bf16,
    };
    Ok(LearnerOptions {
        n_rows: config.batch_rows,
        context: Some(context(config, checkpoint)?),
        plan: TrainOptions {
            label_smoothing: config.label_smoothing,
            dropout: config.dropout,
            activations: if config.recompute { Activations::Recomputed } else { Activations::Kept },
        },
        compute: Compute::Fast { n_threads: config.threads, products },
    })
}

/// The most rows of a document: what is asked for, or else a batch's, where the model was made for so many.
pub(super) fn context(config: &TrainConfig, checkpoint: &Checkpoint) -> Result<usize, TrainError> {
    let limit = checkpoint.config()?.usize(&["max_position_embeddings"])?.unwrap_or(usize::MAX);
    Ok(config.context.unwrap_or(config.batch_rows.min(limit)))
}
