//! What is asked for, in the words of the OpenAI API where it has any.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use hala_engine::{
    ChatOptions, Conversation, Direction, Draft, EngineError, Overflow, Sampling, SamplingChoice,
    SamplingDefaults, TemplateOptions,
};
use hala_text::{Language, LocalTime, Message, Role, messages_from_json};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::error::Error;
use crate::wishes::Wishes;

/// Reads a request of any kind from JSON.
///
/// # Errors
/// It is no such request; the message names the field.
pub fn parse<T: DeserializeOwned>(json: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| Error::Request { reason: error.to_string() })
}

/// Reads a JSON list of messages.
///
/// # Errors
/// It is none; the message names the field.
pub fn messages(json: &str) -> Result<Vec<Message>, Error> {
    messages_from_json(&parse(json)?).map_err(|error| Error::Request { reason: error.to_string() })
}

/// A conversation to be answered: a chat completion of the OpenAI API, with what other servers add to it. What is not given is as the
/// checkpoint says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatRequest {
    /// The messages, oldest first.
    #[serde(deserialize_with = "hala_text::deserialize_messages")]
    pub messages: Vec<Message>,
    /// What the answer names as its model; the one that is loaded answers.
    pub model: Option<String>,
    /// Whether the answer is wanted in parts as they come.
    #[serde(default)]
    pub stream: bool,
    /// What a stream has besides.
    pub stream_options: Option<StreamOptions>,
    /// 0 takes the likeliest token; higher is more varied.
    pub temperature: Option<f32>,
    /// Chooses among the likeliest tokens that together reach this probability.
    pub top_p: Option<f32>,
    /// Chooses among this many of the likeliest tokens; 0 for all.
    pub top_k: Option<usize>,
    /// Chooses among tokens at least this many times as likely as the likeliest.
    pub min_p: Option<f32>,
    /// Makes tokens of prompt and output less likely by this factor.
    pub repetition_penalty: Option<f32>,
    /// Taken off a token's logit for each time it is in the output.
    pub frequency_penalty: Option<f32>,
    /// Taken off a token's logit once it is in the output.
    pub presence_penalty: Option<f32>,
    /// Added to the logits of ids.
    #[serde(default)]
    pub logit_bias: BTreeMap<u32, f32>,
    /// How many replies; one where it is not given.
    pub n: Option<NonZeroUsize>,
    /// The same seed gives the same reply.
    pub seed: Option<i64>,
    /// Strings that end a reply; they are not part of it. A thought before it may have them.
    #[serde(default)]
    pub stop: Stop,
    /// The most tokens of a reply.
    pub max_tokens: Option<usize>,
    /// The same, by its newer name, which counts where both are given.
    pub max_completion_tokens: Option<usize>,
    /// Whether each token comes with its log-probability.
    #[serde(default)]
    pub logprobs: bool,
    /// Log-probabilities of so many of the likeliest tokens besides.
    pub top_logprobs: Option<usize>,
    /// Descriptions of functions that the model may call.
    pub tools: Option<Vec<serde_json::Value>>,
    /// Variables for the chat template.
    pub chat_template_kwargs: Option<serde_json::Map<String, serde_json::Value>>,
    /// The local time that the chat template may print; the system's clock tells it otherwise.
    #[serde(default, deserialize_with = "local_time")]
    pub now: Option<LocalTime>,
    /// What happens where the conversation outgrows the context.
    #[serde(default, deserialize_with = "overflow")]
    pub overflow: Overflow,
}

/// What a stream has besides the parts of its replies.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(from = "BTreeMap<String, bool>")]
pub struct StreamOptions {
    /// Whether a last chunk tells the tokens of all replies.
    pub include_usage: bool,
}

impl From<BTreeMap<String, bool>> for StreamOptions {
    fn from(flags: BTreeMap<String, bool>) -> Self {
        Self { include_usage: flags.get("include_usage").copied().unwrap_or_default() }
    }
}

fn local_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LocalTime>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| LocalTime::parse(&text)).transpose().map_err(serde::de::Error::custom)
}

/// One stop string or several.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(untagged)]
pub enum Stop {
    /// None.
    #[default]
    None,
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl From<Stop> for Vec<String> {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::None => Vec::new(),
            Stop::One(stop) => vec![stop],
            Stop::Several(stops) => stops,
        }
    }
}

fn overflow<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Overflow, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Name {
        Error,
        DropOldest,
    }
    Ok(match Name::deserialize(deserializer)? {
        Name::Error => Overflow::Error,
        Name::DropOldest => Overflow::DropOldest,
    })
}

impl ChatRequest {
    /// A request with nothing but messages.
    pub fn new(messages: Vec<Message>) -> Self {
        Self { messages, ..Self::default() }
    }

    /// How many replies are asked for.
    pub fn n(&self) -> usize {
        self.n.map_or(1, NonZeroUsize::get)
    }

    /// The conversation. What the request leaves open is as the checkpoint says, and `seed` is for one that names none.
    ///
    /// # Errors
    /// A setting of the checkpoint that means nothing, or of the request.
    pub fn into_conversation(
        self,
        defaults: &SamplingDefaults,
        seed: u64,
    ) -> Result<Conversation, EngineError> {
        let wishes = Wishes {
            sampling: self.sampling(seed),
            max_tokens: self.max_completion_tokens.or(self.max_tokens),
            stop: self.stop.into(),
            draft: Draft::Auto,
            logprobs: self.logprobs.then(|| self.top_logprobs.unwrap_or(0)),
        };
        let template = TemplateOptions {
            variables: self.chat_template_kwargs.unwrap_or_default(),
            now: self.now,
            template: None,
        };
        let (system, messages) = split_system(self.messages);
        let options = ChatOptions {
            system,
            tools: self.tools.unwrap_or_default(),
            template,
            overflow: self.overflow,
            generate: wishes.options(&Sampling::conversation(), defaults)?,
        };
        Ok(Conversation::new(messages, options))
    }

    fn sampling(&self, seed: u64) -> SamplingChoice {
        SamplingChoice {
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            frequency_penalty: self.frequency_penalty,
            presence_penalty: self.presence_penalty,
            logit_bias: self.logit_bias.iter().map(|(id, bias)| (*id, *bias)).collect(),
            seed: Some(self.seed.map_or(seed, |seed| seed as u64)),
        }
    }
}

/// The messages with the system message apart: it stays when the oldest turns are left out.
fn split_system(mut messages: Vec<Message>) -> (Option<String>, Vec<Message>) {
    let is_system = messages.first().is_some_and(|m| m.role == Role::System);
    let system = is_system.then(|| messages.remove(0).content);
    (system, messages)
}

/// A text to be translated.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranslateRequest {
    /// The text.
    pub text: String,
    /// Its language; found out where it is not given.
    pub from: Option<Language>,
    /// The language wanted; the other one where it is not given.
    pub to: Option<Language>,
}

impl TranslateRequest {
    /// A text, into the other language than its own.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// From which language into which.
    pub fn direction(&self) -> Direction {
        Direction { from: self.from, to: self.to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a checkpoint that says nothing of sampling.
    fn conversation(json: &str) -> Conversation {
        parse::<ChatRequest>(json).unwrap().into_conversation(&SamplingDefaults::default(), 9).unwrap()
    }

    #[test]
    fn a_request_in_openai_s_words_becomes_options() {
        let json = r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}],
            "temperature":0,"stop":["a","b"],"max_tokens":7,"logprobs":true,"logit_bias":{"5":-100},"seed":-1}"#;
        let conversation = conversation(json);
        let options = conversation.options;
        assert_eq!(options.system.as_deref(), Some("s"));
        assert_eq!(conversation.messages.len(), 1);
        assert_eq!(options.generate.stop, ["a", "b"]);
        assert_eq!(options.generate.max_tokens, Some(7));
        assert_eq!(options.generate.logprobs, Some(0));
        let sampling = options.generate.sampling;
        assert_eq!((sampling.temperature, sampling.min_p, sampling.seed), (0.0, 0.15, u64::MAX));
        assert_eq!(sampling.logit_bias, [(5, -100.0)]);
    }

    #[test]
    fn a_seed_is_given_where_none_was_asked_for() {
        let conversation = conversation(r#"{"messages":[],"stop":"x"}"#);
        assert_eq!(conversation.options.generate.sampling.seed, 9);
        assert_eq!(conversation.options.generate.stop, ["x"]);
    }

    #[test]
    fn messages_have_the_forms_of_the_api_and_a_fault_is_named() {
        let json = r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
            {"role":"assistant","content":null,"tool_calls":null}],"tools":null}"#;
        let conversation = conversation(json);
        let contents: Vec<_> = conversation.messages.iter().map(|m| m.content.as_str()).collect();
        assert_eq!(contents, ["ab", ""]);
        let failure =
            parse::<ChatRequest>(r#"{"messages":[{"role":"user","content":5}]}"#).unwrap_err().to_string();
        assert!(failure.contains("messages[0].content is 5"), "{failure}");
    }

    #[test]
    fn the_template_is_given_variables_and_a_time() {
        let json = |now: &str| {
            format!(r#"{{"messages":[],"chat_template_kwargs":{{"thinking":false}},"now":{now}}}"#)
        };
        let parsed = |now: &str| {
            let nothing = SamplingDefaults::default();
            parse::<ChatRequest>(&json(now)).map(|request| request.into_conversation(&nothing, 9).unwrap())
        };
        let template = parsed("\"2026-03-07T09:05\"").unwrap().options.template;
        assert_eq!(template.variables["thinking"], false);
        assert_eq!(template.now, LocalTime::parse("2026-03-07 09:05:00").ok());
        assert_eq!(parsed("null").unwrap().options.template.now, None);
        let failure = parsed("\"yesterday\"").unwrap_err();
        assert_eq!(failure.code(), "invalid-request");
        assert!(failure.to_string().contains("yesterday"), "{failure}");
    }

    #[test]
    fn an_option_that_is_not_known_is_named() {
        let failure = parse::<ChatRequest>(r#"{"messages":[],"temprature":1}"#).unwrap_err();
        assert_eq!(failure.code(), "invalid-request");
        assert!(failure.to_string().contains("temprature"), "{failure}");
    }

    #[test]
    fn there_is_one_reply_at_least() {
        let n = |n: &str| parse::<ChatRequest>(&format!(r#"{{"messages":[],"n":{n}}}"#)).map(|r| r.n());
        assert_eq!((n("null").unwrap(), n("3").unwrap()), (1, 3));
        assert_eq!(n("0").unwrap_err().code(), "invalid-request");
    }
}
