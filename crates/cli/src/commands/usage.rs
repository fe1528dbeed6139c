//! Tokens and times of a result, as JSON and in words.

use hala_engine::{Timings, Usage};
use serde::Serialize;

use crate::terminal::counted;

/// Times in seconds and speeds in tokens a second.
#[derive(Debug, Serialize)]
pub(crate) struct TimingsJson {
    prefill_s: f64,
    decode_s: f64,
    prefill_tps: f64,
    decode_tps: f64,
}

impl TimingsJson {
    /// The times of one result.
    pub(crate) fn new(usage: &Usage, timings: &Timings) -> Self {
        Self {
            prefill_s: timings.prefill.as_secs_f64(),
            decode_s: timings.decode.as_secs_f64(),
            prefill_tps: usage.prefill_speed(timings),
            decode_tps: usage.decode_speed(timings),
        }
    }
}

/// `12 of 40 prompt tokens computed at 310/s, 25 generated at 41/s`
pub(crate) fn words(usage: &Usage, timings: &Timings) -> String {
    format!(
        "{} of {} computed at {:.0}/s, {} generated at {:.0}/s",
        usage.prompt_tokens - usage.cached_tokens.min(usage.prompt_tokens),
        counted(usage.prompt_tokens, "prompt token"),
        usage.prefill_speed(timings),
        usage.completion_tokens,
        usage.decode_speed(timings),
    )
}
