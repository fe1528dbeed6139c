//! How the next token is chosen: the options, what of them is possible, and what a device can do in the host's place.

use hala_plan::ops::sample::{Choice, MAX_CANDIDATES};
use serde::Serialize;

use crate::error::EngineError;

/// How the next token is chosen; the default is greedy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sampling {
    /// 0 takes the likeliest token; above, the distribution is flattened by it.
    pub temperature: f32,
    /// Only this many of the likeliest tokens; 0 for all.
    pub top_k: usize,
    /// Only the likeliest tokens that together reach this probability; 1 for all.
    pub top_p: f32,
    /// Only tokens at least this many times as likely as the likeliest; 0 for all.
    pub min_p: f32,
    /// Tokens of prompt and output are this many times less favoured; 1 for no penalty.
    pub repetition_penalty: f32,
    /// Taken off a token's logit for each time it is in the output.
    pub frequency_penalty: f32,
    /// Taken off a token's logit once it is in the output.
    pub presence_penalty: f32,
    /// Added to the logits of these tokens.
    pub logit_bias: Vec<(u32, f32)>,
    /// Same seed, same text.
    pub seed: u64,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            frequency_penalty: 0.0,
            presence_penalty: 0.0,
            logit_bias: Vec::new(),
            seed: 0,
        }
    }
}

impl Sampling {
    /// What LFM2's publisher recommends for conversation.
    pub fn conversation() -> Self {
        Self { temperature: 0.3, min_p: 0.15, repetition_penalty: 1.05, ..Self::default() }
    }

    /// Refuses values that mean nothing.
    ///
    /// # Errors
    /// An option outside of its range, by name.
    pub fn check(&self) -> Result<(), EngineError> {
        let in_range = |option, found: f32, fits: bool, expected| {
            if fits {
                Ok(())
            } else {
                Err(EngineError::Option { option, found: found.to_string(), expected })
            }
        };
        let t = self.temperature;
        in_range("temperature", t, t.is_finite() && t >= 0.0, "0 or more")?;
        in_range("top_p", self.top_p, self.top_p > 0.0 && self.top_p <= 1.0, "above 0 and at most 1")?;
        in_range("min_p", self.min_p, (0.0..=1.0).contains(&self.min_p), "from 0 to 1")?;
        let p = self.repetition_penalty;
        in_range("repetition_penalty", p, p.is_finite() && p > 0.0, "above 0")?;
        for (option, p) in
            [("frequency_penalty", self.frequency_penalty), ("presence_penalty", self.presence_penalty)]
        {
            in_range(option, p, p.is_finite(), "a number")?;
        }
        Ok(())
    }

    /// The choice that a device can make in the host's place; `None` where it cannot, or would decline often.
    pub(crate) fn on_device(&self) -> Option<Choice> {
        let is_plain =
            self.frequency_penalty == 0.0 && self.presence_penalty == 0.0 && self.logit_bias.is_empty();
        let is_greedy = self.temperature == 0.0 || self.top_k == 1;
        let is_bounded = match self.top_k {
            0 => self.min_p > 0.0 || self.top_p < 1.0,
            n => n <= MAX_CANDIDATES,
        };
        let temperature = if is_greedy { 0.0 } else { self.temperature };
        (is_plain && (is_greedy || is_bounded)).then_some(Choice {
            temperature,
            top_k: self.top_k.min(MAX_CANDIDATES) as u32,
            top_p: self.top_p,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
        })
    }
}
