//! What can go wrong in a session.

use hala_model::ModelError;
use hala_plan::BackendError;
use hala_tensor::counted;
use hala_text::TextError;
use hala_weights::WeightsError;
use serde_json::Value;

use crate::saved::error::SavedError;

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
    /// A setting of the checkpoint's files means nothing.
    #[error(transparent)]
    Setting(#[from] SettingFault),
    /// A saved sequence cannot be used, or none be saved.
    #[error(transparent)]
    Saved(#[from] SavedError),
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
    /// The memory for states has reached its limit.
    #[error("the caches are full: end another conversation, or ask for a shorter context")]
    MemoryFull,
    /// A position that the session has not reached.
    #[error("cannot go back to {}: the session holds {held}", counted(*asked as u64, "token"))]
    Position {
        /// Tokens asked for.
        asked: usize,
        /// Tokens held.
        held: usize,
    },
    /// A prompt that has no row where a run is to begin.
    #[error("a prompt of {} has none at position {position}: give a longer prompt, or a position before its end", counted(*found as u64, "token"))]
    NoRow {
        /// The position asked for.
        position: usize,
        /// Tokens of the prompt.
        found: usize,
    },
    /// Two engines whose runs cannot be compared.
    #[error(
        "the two engines do not have the same {what}: load both from one checkpoint, with the same options"
    )]
    Unlike {
        /// What differs.
        what: &'static str,
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

/// A setting of a checkpoint's files that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} has {key} = {found}, where {expected} is expected: mend the file")]
pub struct SettingFault {
    /// The file.
    pub file: String,
    /// The setting.
    pub key: &'static str,
    /// Its value, as JSON.
    pub found: String,
    /// The values that are possible.
    pub expected: &'static str,
}

impl SettingFault {
    /// The fault of a value in a file.
    pub(crate) fn new((file, value): (&str, &Value), key: &'static str, expected: &'static str) -> Self {
        Self { file: file.to_owned(), key, found: brief(value), expected }
    }
}

/// A value as JSON, cut where a reader has seen enough.
pub(crate) fn brief(value: &Value) -> String {
    const MAX_CHARS: usize = 40;
    let text = value.to_string();
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
