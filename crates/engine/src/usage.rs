//! What a generation cost: tokens and time.

use std::time::Duration;

use serde::Serialize;

/// Tokens of one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Of these, tokens that were still in the session's state and cost nothing.
    pub cached_tokens: usize,
    /// Tokens generated, a stop token included.
    pub completion_tokens: usize,
    /// More about those generated; not in JSON where there is nothing to tell.
    #[serde(skip_serializing_if = "CompletionDetails::is_empty")]
    pub completion_tokens_details: CompletionDetails,
}

/// More about tokens generated, in the words of the OpenAI API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct CompletionDetails {
    /// Tokens of a thought before the answer, with its tags.
    pub reasoning_tokens: usize,
    /// Drafts, proposed by look-up, that became part of the text.
    pub accepted_prediction_tokens: usize,
    /// Drafts that were computed for nothing.
    pub rejected_prediction_tokens: usize,
}

impl CompletionDetails {
    /// Drafts in all.
    pub fn n_drafts(&self) -> usize {
        self.accepted_prediction_tokens + self.rejected_prediction_tokens
    }

    /// Whether there were neither drafts nor thoughts.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds another generation's.
    pub fn add(&mut self, other: Self) {
        self.reasoning_tokens += other.reasoning_tokens;
        self.accepted_prediction_tokens += other.accepted_prediction_tokens;
        self.rejected_prediction_tokens += other.rejected_prediction_tokens;
    }
}

/// Times of one generation: where several share runs, its share of them by rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Timings {
    /// Time to compute the prompt.
    pub prefill: Duration,
    /// Time to compute the tokens after the first.
    pub decode: Duration,
}

impl Usage {
    /// Prompt tokens computed a second; 0 where nothing was.
    pub fn prefill_speed(&self, timings: &Timings) -> f64 {
        speed(self.prompt_tokens - self.cached_tokens.min(self.prompt_tokens), timings.prefill)
    }

    /// Tokens generated a second after the first; 0 where there was only one.
    pub fn decode_speed(&self, timings: &Timings) -> f64 {
        self.decode_speed_of(1, timings)
    }

    /// The same of `n_texts` texts that were added up, each of which has a first token.
    pub fn decode_speed_of(&self, n_texts: usize, timings: &Timings) -> f64 {
        speed(self.completion_tokens.saturating_sub(n_texts), timings.decode)
    }

    /// Adds another generation's tokens.
    pub fn add(&mut self, other: Self) {
        self.prompt_tokens += other.prompt_tokens;
        self.cached_tokens += other.cached_tokens;
        self.completion_tokens += other.completion_tokens;
        self.completion_tokens_details.add(other.completion_tokens_details);
    }
}

impl Timings {
    /// Adds another generation's times.
    pub fn add(&mut self, other: Self) {
        self.prefill += other.prefill;
        self.decode += other.decode;
    }
}

fn speed(n_tokens: usize, time: Duration) -> f64 {
    if n_tokens == 0 || time.is_zero() { 0.0 } else { n_tokens as f64 / time.as_secs_f64() }
}
