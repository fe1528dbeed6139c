//! What a generation gives: tokens with their text, and why they ended.

use serde::Serialize;

use crate::logits::TokenLogprob;
use crate::usage::{Timings, Usage};

/// Why a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FinishReason {
    /// The model ended it, or a stop string or id came.
    Stop,
    /// The token limit or the context was reached.
    Length,
    /// The caller stopped it.
    Cancelled,
}

/// One step of the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The token.
    pub id: u32,
    /// Of a thought, what is now certain; as the model wrote it, without the tags.
    pub reasoning: String,
    /// Text that is now certain: empty while a character or a stop string may still be incomplete.
    pub text: String,
    /// Its log-probabilities, where asked for.
    pub logprobs: Option<TokenLogprob>,
}

/// A finished generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The tokens, without the one that ended it.
    pub ids: Vec<u32>,
    /// What the model thought before it wrote the text, without the tags, where it did and [`GenerateOptions::thinking`] lets it.
    ///
    /// [`GenerateOptions::thinking`]: crate::GenerateOptions::thinking
    pub reasoning: Option<String>,
    /// The whole text, without a thought before it.
    pub text: String,
    /// Why it ended.
    pub finish: FinishReason,
    /// Tokens.
    pub usage: Usage,
    /// Times.
    pub timings: Timings,
}
