//! What can go wrong between a checkpoint and a model.

use hala_plan::PlanError;
use hala_tensor::{Shape, TensorError};
use hala_weights::WeightsError;

/// An error of this crate; each names the tensor or setting, what was found and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The checkpoint could not be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A Plan did not fit together.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A computed weight was refused.
    #[error("{name}: {source}")]
    Tensor {
        /// Name of the weight.
        name: String,
        /// What was refused.
        source: TensorError,
    },
    /// No family runs this architecture.
    #[error("config.json: the architecture {found} is not supported; supported are: {supported}")]
    UnknownArchitecture {
        /// What config.json says.
        found: String,
        /// Supported values of `model_type`.
        supported: String,
    },
    /// config.json lacks a setting that the model cannot do without.
    #[error("config.json: {key} is missing; the checkpoint is incomplete or of another family")]
    MissingSetting {
        /// The key and its older names.
        key: String,
    },
    /// A setting changes the maths in a way that is not supported.
    #[error("config.json: {key} is {found}, and {supported} is supported")]
    UnsupportedSetting {
        /// The key.
        key: String,
        /// Its value.
        found: String,
        /// What is supported.
        supported: String,
    },
    /// A tensor and the config disagree.
    #[error(
        "the tensor {name} has the shape {found}, while config.json ({setting}) asks for {expected}: one of the two files belongs to another model"
    )]
    Disagreement {
        /// Name of the tensor.
        name: String,
        /// Its shape.
        found: Shape,
        /// The setting that decides the shape.
        setting: String,
        /// The shape that the setting asks for.
        expected: String,
    },
    /// A tensor that the family does not have, so that the maths would be another.
    #[error(
        "the tensor {name} is not part of the {family} architecture, so the result would be wrong without it; merge adapters into the model first"
    )]
    UnexpectedTensor {
        /// Name of the tensor.
        name: String,
        /// The family.
        family: &'static str,
    },
    /// Products that are one op ask for two roundings of their inputs.
    #[error(
        "the inputs of {first} and {second} are rounded in different ways, and both are multiplied at once: run it with float inputs"
    )]
    Rounding {
        /// The first weight.
        first: String,
        /// The other.
        second: String,
    },
    /// More positions were asked for than the model was made for.
    #[error("a context of {asked} tokens, and the model was made for at most {limit}: choose a shorter one")]
    Context {
        /// Tokens asked for.
        asked: usize,
        /// Most tokens.
        limit: usize,
    },
}

/// The error for a value that would change the maths.
pub(crate) fn unsupported(key: &str, found: &str, supported: &str) -> ModelError {
    ModelError::UnsupportedSetting {
        key: key.to_owned(),
        found: found.to_owned(),
        supported: supported.to_owned(),
    }
}
