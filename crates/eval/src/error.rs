//! What can go wrong while a model is evaluated.

use hala_engine::EngineError;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A model could not compute.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The models do not have one vocabulary.
    #[error("the models know {reference} and {found} ids: only models with one vocabulary can be compared")]
    Vocabulary {
        /// Ids of the reference.
        reference: usize,
        /// Ids of the model that is compared with it.
        found: usize,
    },
    /// A text too short to say anything.
    #[error("a text of at least 2 tokens is needed, and this one has {found}: give a longer one")]
    TooShort {
        /// Its tokens.
        found: usize,
    },
    /// A model computed something that is no distribution.
    #[error(
        "the {which} model's logits after token {position} are no finite numbers: its weights are damaged"
    )]
    NotFinite {
        /// Reference or compared.
        which: &'static str,
        /// The position in its window.
        position: usize,
    },
}
