//! What can go wrong in a session.

use hala_model::ModelError;
use hala_plan::BackendError;
use hala_text::TextError;
use hala_weights::WeightsError;

/// An error of this crate; each says what was found, what was expected, and what to do next.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The checkpoint could not be read.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The model does not fit its checkpoint.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The device refused.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// Text and ids could not be turned into each other.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The checkpoint has no tokenizer, so only ids can go in and out.
    #[error(
        "the checkpoint has no tokenizer.json, so it cannot read or write text: put the file beside the weights"
    )]
    NoTokenizer,
    /// A model family that records no logits: a fault of its code.
    #[error("the model family {family} records a Plan without logits: please report it")]
    NoOutput {
        /// The family.
        family: &'static str,
    },
    /// Nothing to work on.
    #[error("the prompt is empty: at least one token is needed")]
    EmptyPrompt,
    /// The prompt leaves no room in the context.
    #[error(
        "the prompt has {found} tokens, and the context holds {limit}: shorten it, or ask for a longer context (the model was made for {max})"
    )]
    PromptTooLong {
        /// Tokens of the prompt.
        found: usize,
        /// Tokens that a session holds.
        limit: usize,
        /// Tokens that the model was made for.
        max: usize,
    },
    /// A conversation cannot be continued as it stands.
    #[error("{0}")]
    Conversation(&'static str),
    /// A text cannot be translated into the language that it is in.
    #[error("the source and the target language are both {name}: choose another target", name = .0.name())]
    SameLanguage(hala_text::Language),
    /// A sampling option outside of its range.
    #[error("{option} is {found}, and must be {expected}")]
    Option {
        /// Name of the option.
        option: &'static str,
        /// Its value.
        found: String,
        /// The values that are possible.
        expected: &'static str,
    },
    /// The model computed values that are no numbers.
    #[error(
        "the model's logits hold {found} where a number is needed: the checkpoint is damaged, or its activations overflow"
    )]
    NotFinite {
        /// The value found.
        found: f32,
    },
    /// A position that the session has not reached.
    #[error("cannot go back to {asked} tokens: the session holds {held}")]
    Position {
        /// Tokens asked for.
        asked: usize,
        /// Tokens held.
        held: usize,
    },
    /// The work was stopped by its caller.
    #[error("stopped on request")]
    Cancelled,
}

impl EngineError {
    /// Whether the device went away, so that [`Session::rebuild`](crate::Session::rebuild) on another can go on.
    pub fn is_device_lost(&self) -> bool {
        matches!(self, Self::Backend(BackendError::DeviceLost { .. }))
    }

    /// Whether the caller stopped the work itself.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled | Self::Backend(BackendError::Cancelled))
    }
}
