//! The families that can be opened, by config.json's `model_type`.

use hala_weights::Checkpoint;

use crate::{Model, ModelError, Options, lfm2::Lfm2};

/// Supported values of `model_type`.
pub const FAMILIES: &[&str] = &[Lfm2::FAMILY];

/// Opens the model of a checkpoint: reads its config and checks its tensors' names and shapes.
///
/// # Errors
/// An unknown architecture, settings or tensors that are missing, unsupported or contradictory.
pub fn open(checkpoint: &Checkpoint, options: Options) -> Result<Box<dyn Model>, ModelError> {
    let config = checkpoint.config()?;
    match config.str(&["model_type"])? {
        Some(Lfm2::FAMILY) => Ok(Box::new(Lfm2::open(checkpoint, options)?)),
        found => Err(ModelError::UnknownArchitecture {
            found: found.unwrap_or("(none: model_type is missing)").to_owned(),
            supported: FAMILIES.join(", "),
        }),
    }
}
