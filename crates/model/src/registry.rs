//! The families that can be opened, by config.json's `model_type`.

use hala_weights::Checkpoint;

use crate::lfm2::Lfm2;
use crate::{Model, ModelError, Options};
#[cfg(not(target_family = "wasm"))]
use crate::{cohere2::Cohere2, gemma2::Gemma2};

/// Supported values of `model_type`.
#[cfg(not(target_family = "wasm"))]
pub const FAMILIES: &[&str] = &[Lfm2::FAMILY, Gemma2::FAMILY, Cohere2::FAMILY];

/// Supported values of `model_type`.
#[cfg(target_family = "wasm")]
pub const FAMILIES: &[&str] = &[Lfm2::FAMILY];

/// Opens the model of a checkpoint: reads its config and checks its tensors' names and shapes.
///
/// # Errors
/// An unknown architecture, settings or tensors that are missing, unsupported or contradictory.
pub fn open(checkpoint: &Checkpoint, options: Options) -> Result<Box<dyn Model>, ModelError> {
    let config = checkpoint.config()?;
    match config.str(&["model_type"])? {
        Some(Lfm2::FAMILY) => Ok(Box::new(Lfm2::open(checkpoint, options)?)),
        #[cfg(not(target_family = "wasm"))]
        Some(Gemma2::FAMILY) => Ok(Box::new(Gemma2::open(checkpoint, options)?)),
        #[cfg(not(target_family = "wasm"))]
        Some(Cohere2::FAMILY) => Ok(Box::new(Cohere2::open(checkpoint, options)?)),
        found => Err(ModelError::UnknownArchitecture {
            found: found.unwrap_or("(none: model_type is missing)").to_owned(),
            supported: FAMILIES.join(", "),
        }),
    }
}
