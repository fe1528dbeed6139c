//! The families that can be opened, by config.json's `model_type`.

use hala_weights::Checkpoint;

use crate::cohere2::Cohere2;
use crate::error::ModelError;
use crate::gemma2::Gemma2;
use crate::lfm2::Lfm2;
use crate::lfm3::Lfm3;
use crate::model::Model;
use crate::options::Options;
use crate::specs::WeightSpec;

/// Supported values of `model_type`.
pub const FAMILIES: &[&str] = &[Lfm2::FAMILY, Lfm3::FAMILY, Gemma2::FAMILY, Cohere2::FAMILY];

/// Opens the model of a checkpoint: reads its config and checks its tensors' names and shapes.
///
/// # Errors
/// An unknown architecture, settings or tensors that are missing, unsupported or contradictory.
pub fn open(checkpoint: &Checkpoint, options: Options) -> Result<Box<dyn Model>, ModelError> {
    let config = checkpoint.config()?;
    checkpoint.check_quantisation()?;
    match config.str(&["model_type"])? {
        Some(Lfm2::FAMILY) => Ok(Box::new(Lfm2::open(checkpoint, options)?)),
        Some(Lfm3::FAMILY) => Ok(Box::new(Lfm3::open(checkpoint, options)?)),
        Some(Gemma2::FAMILY) => Ok(Box::new(Gemma2::open(checkpoint, options)?)),
        Some(Cohere2::FAMILY) => Ok(Box::new(Cohere2::open(checkpoint, options)?)),
        found => Err(ModelError::UnknownArchitecture {
            found: found.unwrap_or("(none: model_type is missing)").to_owned(),
            supported: FAMILIES.join(", "),
        }),
    }
}

/// The weights that a checkpoint's config.json asks for, whatever tensors there are: what a model that begins at random is made of.
///
/// # Errors
/// A family other than LFM2, settings that are missing, unsupported or contradictory.
pub fn weights_of(checkpoint: &Checkpoint) -> Result<Vec<WeightSpec>, ModelError> {
    match checkpoint.config()?.str(&["model_type"])? {
        Some(Lfm2::FAMILY) => Lfm2::weights_of(checkpoint),
        found => Err(ModelError::UnknownArchitecture {
            found: found.unwrap_or("(none: model_type is missing)").to_owned(),
            supported: Lfm2::FAMILY.to_owned(),
        }),
    }
}

/// What config.json says that nothing here reads, because the published maths does not: good to know before a model is loaded.
pub fn passed_over(checkpoint: &Checkpoint) -> Vec<String> {
    let Ok(config) = checkpoint.config() else { return Vec::new() };
    match config.str(&["model_type"]) {
        Ok(Some(Lfm3::FAMILY)) => Lfm3::passed_over(config),
        _ => Vec::new(),
    }
}
