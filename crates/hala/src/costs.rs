//! What an answer cost, in the words of the OpenAI API and of llama.cpp's server.

use std::time::Duration;

use hala_engine::{CompletionDetails, Timings, Usage};
use serde::Serialize;

/// Tokens of an answer, as the [OpenAI API](https://platform.openai.com/docs/api-reference/chat/object) counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct UsageReport {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens generated.
    pub completion_tokens: usize,
    /// Both together.
    pub total_tokens: usize,
    /// More about the prompt's.
    pub prompt_tokens_details: PromptDetails,
    /// More about those generated: what became of tokens that were proposed by look-up, and how many are of thoughts; not in JSON where
    /// there was neither.
    #[serde(skip_serializing_if = "CompletionDetails::is_empty")]
    pub completion_tokens_details: CompletionDetails,
}

/// More about the tokens of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct PromptDetails {
    /// Those that were still held from before and cost nothing.
    pub cached_tokens: usize,
}

impl From<Usage> for UsageReport {
    fn from(usage: Usage) -> Self {
        let Usage { prompt_tokens, cached_tokens, completion_tokens, completion_tokens_details } = usage;
        Self {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens + completion_tokens,
            prompt_tokens_details: PromptDetails { cached_tokens },
            completion_tokens_details,
        }
    }
}

/// Where the time went, as [llama.cpp's server](https://github.com/ggml-org/llama.cpp/tree/master/tools/server) names it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct TimingsReport {
    /// Milliseconds for the prompt.
    pub prompt_ms: f64,
    /// Tokens of the prompt a second, those that were held from before left out; 0 where all were.
    pub prompt_per_second: f64,
    /// Milliseconds for the tokens after the first.
    pub predicted_ms: f64,
    /// Tokens a second after the first; 0 where there was only one.
    pub predicted_per_second: f64,
}

impl TimingsReport {
    /// Of `n_texts` texts together.
    pub(crate) fn new(usage: Usage, timings: Timings, n_texts: usize) -> Self {
        Self {
            prompt_ms: milliseconds(timings.prefill),
            prompt_per_second: usage.prefill_speed(&timings),
            predicted_ms: milliseconds(timings.decode),
            predicted_per_second: usage.decode_speed_of(n_texts, &timings),
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
