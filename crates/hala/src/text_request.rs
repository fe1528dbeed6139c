//! Text after a prompt as it stands: what is asked for, and what is answered, in the shape of the OpenAI API's older completions.
//!
//! Source: <https://platform.openai.com/docs/api-reference/completions>.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use hala_engine::{Draft, EngineError, GenerateOptions, Sampling, SamplingChoice, SamplingDefaults};
use hala_text::{Bos, Tokenizer};
use serde::{Deserialize, Serialize};

use crate::completion::{ChoiceLogprobs, CompletionHead};
use crate::costs::{TimingsReport, UsageReport};
use crate::error::Error;
use crate::finish::Finish;
use crate::reply::ChatReply;
use crate::request::Stop;
use crate::wishes::Wishes;

/// A prompt, in the model's own format: special tokens in its text are special.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Prompt {
    /// Text.
    Text(String),
    /// Token ids.
    Ids(Vec<u32>),
}

impl Prompt {
    /// Its token ids.
    ///
    /// # Errors
    /// Text for a model that has no tokenizer, or that cannot be encoded.
    pub fn ids(&self, tokenizer: Result<&Tokenizer, EngineError>) -> Result<Vec<u32>, EngineError> {
        match self {
            Self::Text(text) => Ok(tokenizer?.encode(text, Bos::Auto)?),
            Self::Ids(ids) => Ok(ids.clone()),
        }
    }
}

/// A text to be gone on with. What is not given is as the checkpoint says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextRequest {
    /// The prompt.
    pub prompt: Prompt,
    /// What the answer names as its model; the one that is loaded answers.
    pub model: Option<String>,
    /// As in [`ChatRequest`](crate::ChatRequest).
    pub temperature: Option<f32>,
    /// As in [`ChatRequest`](crate::ChatRequest).
    pub top_p: Option<f32>,
    /// As in [`ChatRequest`](crate::ChatRequest).
    pub top_k: Option<usize>,
    /// As in [`ChatRequest`](crate::ChatRequest).
    pub min_p: Option<f32>,
    /// As in [`ChatRequest`](crate::ChatRequest).
    pub repetition_penalty: Option<f32>,
    /// As in [`ChatRequest`](crate::ChatRequest).
    pub frequency_penalty: Option<f32>,
    /// As in [`ChatRequest`](crate::ChatRequest).
    pub presence_penalty: Option<f32>,
    /// As in [`ChatRequest`](crate::ChatRequest).
    #[serde(default)]
    pub logit_bias: BTreeMap<u32, f32>,
    /// How many texts; one where it is not given.
    pub n: Option<NonZeroUsize>,
    /// The same seed gives the same text.
    pub seed: Option<i64>,
    /// Strings that end a text; they are not part of it.
    #[serde(default)]
    pub stop: Stop,
    /// The most tokens.
    pub max_tokens: Option<usize>,
    /// Log-probabilities of each token and of so many of the likeliest besides.
    pub logprobs: Option<usize>,
    /// Goes on after the model's end-of-text tokens.
    #[serde(default)]
    pub ignore_eos: bool,
}

impl TextRequest {
    /// How many texts are asked for.
    pub fn n(&self) -> usize {
        self.n.map_or(1, NonZeroUsize::get)
    }

    /// How the text is generated. What the request leaves open is as the checkpoint says, and `seed` is for one that names none.
    ///
    /// # Errors
    /// A setting of the checkpoint that means nothing, or of the request.
    pub fn options(self, defaults: &SamplingDefaults, seed: u64) -> Result<GenerateOptions, EngineError> {
        let ignore_eos = self.ignore_eos;
        let sampling = SamplingChoice {
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
            logit_bias: self.logit_bias.into_iter().collect(),
            seed: Some(self.seed.map_or(seed, |seed| seed as u64)),
        };
        let (max_tokens, stop, logprobs) = (self.max_tokens, self.stop.into(), self.logprobs);
        let wishes = Wishes { sampling, max_tokens, stop, draft: Draft::Auto, logprobs };
        Ok(GenerateOptions { ignore_eos, ..wishes.options(&Sampling::default(), defaults)? })
    }
}

/// Texts after a prompt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextCompletion {
    /// As in [`CompletionHead`].
    pub id: String,
    /// `text_completion`.
    pub object: &'static str,
    /// As in [`CompletionHead`].
    pub created: u64,
    /// As in [`CompletionHead`].
    pub model: String,
    /// The texts, by their index.
    pub choices: Vec<TextChoice>,
    /// Of all together, the prompt counted once.
    pub usage: UsageReport,
    /// Of all together.
    pub timings: TimingsReport,
}

/// A whole text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextChoice {
    /// The text.
    pub text: String,
    /// Which text, from 0.
    pub index: usize,
    /// Of each token, where asked for: as in chat completions.
    pub logprobs: Option<ChoiceLogprobs>,
    /// Why it ended.
    pub finish_reason: Finish,
}

impl TextCompletion {
    /// The texts as a completion.
    ///
    /// # Errors
    /// They were stopped on request.
    pub fn new(head: CompletionHead, reply: ChatReply) -> Result<Self, Error> {
        let (usage, timings) = (reply.usage_report(), reply.timings_report());
        let mut choices = Vec::with_capacity(reply.choices.len());
        for (index, choice) in reply.choices.into_iter().enumerate() {
            let (logprobs, finish_reason) =
                (choice.logprobs.map(ChoiceLogprobs::from), choice.finish.try_into()?);
            choices.push(TextChoice { text: choice.text, index, logprobs, finish_reason });
        }
        let CompletionHead { id, created, model } = head;
        Ok(Self { id, object: "text_completion", created, model, choices, usage, timings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::parse;

    #[test]
    fn a_prompt_is_text_or_ids_and_what_is_not_known_is_named() {
        let request: TextRequest = parse(r#"{"prompt":"a","max_tokens":3,"ignore_eos":true}"#).unwrap();
        assert_eq!(request.prompt, Prompt::Text("a".to_owned()));
        let options = request.options(&SamplingDefaults::default(), 9).unwrap();
        assert_eq!((options.max_tokens, options.ignore_eos, options.sampling.seed), (Some(3), true, 9));
        let request: TextRequest = parse(r#"{"prompt":[1,2],"n":2}"#).unwrap();
        assert_eq!((request.prompt.clone(), request.n()), (Prompt::Ids(vec![1, 2]), 2));
        let refused = parse::<TextRequest>(r#"{"prompt":"a","messages":[]}"#).unwrap_err().to_string();
        assert!(refused.contains("messages"), "{refused}");
    }
}
