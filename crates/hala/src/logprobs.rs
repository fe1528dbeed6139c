//! How likely tokens were, in the words of the OpenAI API.

use hala_engine::TokenLogprob;
use hala_text::Tokenizer;
use serde::Serialize;

/// Log-probabilities of a token, in the words of the OpenAI API.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TokenReport {
    /// The token.
    #[serde(flatten)]
    pub chosen: CandidateReport,
    /// The likeliest tokens at its place.
    pub top_logprobs: Vec<CandidateReport>,
}

/// A token that was or could have been chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateReport {
    /// Its text.
    pub token: String,
    /// Its log-probability.
    pub logprob: f32,
    /// Its bytes, where the text tells them.
    pub bytes: Option<Vec<u8>>,
}

impl TokenReport {
    pub(crate) fn new(tokenizer: &Tokenizer, logprob: &TokenLogprob) -> Self {
        let report = |id: u32, logprob: f32| {
            let text = tokenizer.decode(&[id], hala_text::Specials::Keep).unwrap_or_default();
            // A token may be a part of a character: then its text does not tell its bytes.
            let bytes = (!text.contains('\u{fffd}')).then(|| text.clone().into_bytes());
            CandidateReport { token: text, logprob, bytes }
        };
        Self {
            chosen: report(logprob.chosen.id, logprob.chosen.logprob),
            top_logprobs: logprob.top.iter().map(|c| report(c.id, c.logprob)).collect(),
        }
    }
}
