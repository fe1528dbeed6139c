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

/// `12 of 40 prompt tokens computed at 310/s, 25 generated at 41/s (8 of them a thought, 9 of 12 drafts right)`
pub(crate) fn words(usage: &Usage, timings: &Timings) -> String {
    let details = usage.completion_tokens_details;
    let thought = Some(details.reasoning_tokens).filter(|n| *n > 0).map(|n| format!("{n} of them a thought"));
    let drafts = Some(details.n_drafts()).filter(|n| *n > 0);
    let drafts =
        drafts.map(|n| format!("{} of {} right", details.accepted_prediction_tokens, counted(n, "draft")));
    let more: Vec<String> = thought.into_iter().chain(drafts).collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    format!(
        "{} of {} computed at {:.0}/s, {} generated at {:.0}/s{more}",
        usage.prompt_tokens - usage.cached_tokens.min(usage.prompt_tokens),
        counted(usage.prompt_tokens, "prompt token"),
        usage.prefill_speed(timings),
        usage.completion_tokens,
        usage.decode_speed(timings),
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hala_engine::CompletionDetails;

    use super::*;

    #[test]
    fn drafts_are_told_of_where_there_were_some() {
        let timings = Timings { prefill: Duration::from_secs(1), decode: Duration::from_secs(2) };
        let mut usage = Usage { prompt_tokens: 40, completion_tokens: 9, ..Usage::default() };
        let plain = "40 of 40 prompt tokens computed at 40/s, 9 generated at 4/s";
        assert_eq!(words(&usage, &timings), plain);
        usage.completion_tokens_details = CompletionDetails {
            reasoning_tokens: 0,
            accepted_prediction_tokens: 6,
            rejected_prediction_tokens: 2,
        };
        assert_eq!(words(&usage, &timings), format!("{plain} (6 of 8 drafts right)"));
        usage.completion_tokens_details.reasoning_tokens = 5;
        assert_eq!(words(&usage, &timings), format!("{plain} (5 of them a thought, 6 of 8 drafts right)"));
    }
}
