//! What the worker asks for, as JSON.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use hala_engine::{
    ChatOptions, Conversation, Direction, EngineError, GenerateOptions, LoadOptions, Overflow, Sampling,
    SamplingChoice, SamplingDefaults, SchedulerOptions, TemplateOptions,
};
use hala_model::{Options, WeightFormat};
use hala_text::{Language, LocalTime, Message, Role};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::Failure;

/// A request of any kind.
pub(crate) fn parse<T: DeserializeOwned>(json: &str) -> Result<T, Failure> {
    serde_json::from_str(json)
        .map_err(|error| Failure::new("invalid-request", format!("the request cannot be read: {error}")))
}

/// What runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BackendName {
    WebGpu,
    Wasm,
}

/// Choices made when a model is loaded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoadRequest {
    pub(crate) backend: BackendName,
    weights: String,
    context: Option<usize>,
    /// Whether the page adds subgroups to the features that a device is asked for.
    #[cfg_attr(not(feature = "webgpu"), expect(dead_code, reason = "a module without GPUs"))]
    pub(crate) subgroups: bool,
    /// Threads for the CPU, the caller's among them; those beyond one must have been lent.
    pub(crate) threads: usize,
    /// Sentences or replies at once, where there are several; `None` for as many as suit the device.
    parallel: Option<NonZeroUsize>,
}

impl LoadRequest {
    /// The engine's part of it.
    pub(crate) fn options(&self) -> Result<LoadOptions, Failure> {
        let weights: WeightFormat =
            self.weights.parse().map_err(|message: String| Failure::new("invalid-request", message))?;
        Ok(LoadOptions { weights, model: Options { context: self.context, ..Options::default() } })
    }

    /// How much is done at once.
    pub(crate) fn scheduler(&self) -> SchedulerOptions {
        SchedulerOptions { n_parallel: self.parallel.map(NonZeroUsize::get), ..SchedulerOptions::default() }
    }
}

/// A conversation to be answered, in the words of the OpenAI API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChatRequest {
    #[serde(deserialize_with = "hala_text::deserialize_messages")]
    messages: Vec<Message>,
    temperature: Option<f32>,
    top_p: Option<f32>,
    top_k: Option<usize>,
    min_p: Option<f32>,
    repetition_penalty: Option<f32>,
    frequency_penalty: Option<f32>,
    presence_penalty: Option<f32>,
    #[serde(default)]
    logit_bias: BTreeMap<u32, f32>,
    /// How many replies; one where it is not given.
    n: Option<NonZeroUsize>,
    seed: Option<i64>,
    #[serde(default)]
    stop: Stop,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    #[serde(default)]
    logprobs: bool,
    top_logprobs: Option<usize>,
    tools: Option<Vec<serde_json::Value>>,
    /// Variables for the chat template.
    chat_template_kwargs: Option<serde_json::Map<String, serde_json::Value>>,
    /// The local time that the chat template may print; the page's clock tells it otherwise.
    #[serde(default, deserialize_with = "local_time")]
    now: Option<LocalTime>,
    #[serde(default)]
    overflow: OverflowName,
}

fn local_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LocalTime>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| LocalTime::parse(&text)).transpose().map_err(serde::de::Error::custom)
}

/// One stop string or several.
#[derive(Debug, Default, Deserialize)]
#[serde(untagged)]
enum Stop {
    #[default]
    None,
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OverflowName {
    #[default]
    Error,
    DropOldest,
}

impl ChatRequest {
    /// How many replies are asked for.
    pub(crate) fn n(&self) -> usize {
        self.n.map_or(1, NonZeroUsize::get)
    }

    /// The conversation. What the request leaves open is as the checkpoint says, and `seed` is for one that names none.
    ///
    /// # Errors
    /// A setting of the checkpoint that means nothing, or of the request.
    pub(crate) fn into_conversation(
        self,
        defaults: &SamplingDefaults,
        seed: u64,
    ) -> Result<Conversation, EngineError> {
        let generate = GenerateOptions {
            sampling: defaults.choose(&Sampling::conversation(), &self.sampling(seed))?,
            max_tokens: defaults.max_tokens(self.max_completion_tokens.or(self.max_tokens))?,
            stop: match self.stop {
                Stop::None => Vec::new(),
                Stop::One(stop) => vec![stop],
                Stop::Several(stops) => stops,
            },
            logprobs: self.logprobs.then(|| self.top_logprobs.unwrap_or(0)),
            ..GenerateOptions::default()
        };
        let overflow = match self.overflow {
            OverflowName::Error => Overflow::Error,
            OverflowName::DropOldest => Overflow::DropOldest,
        };
        let template = TemplateOptions {
            variables: self.chat_template_kwargs.unwrap_or_default(),
            now: self.now,
            template: None,
        };
        let (system, messages) = split_system(self.messages);
        Ok(Conversation::new(
            messages,
            ChatOptions { system, tools: self.tools.unwrap_or_default(), template, overflow, generate },
        ))
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

/// Messages that a page asks about, with the system message apart: it stays when the oldest turns are left out.
fn split_system(mut messages: Vec<Message>) -> (Option<String>, Vec<Message>) {
    let is_system = messages.first().is_some_and(|m| m.role == Role::System);
    let system = is_system.then(|| messages.remove(0).content);
    (system, messages)
}

/// A text to be translated.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TranslateRequest {
    pub(crate) text: String,
    from: Option<Language>,
    to: Option<Language>,
}

impl TranslateRequest {
    pub(crate) fn direction(&self) -> Direction {
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
            parse::<ChatRequest>(r#"{"messages":[{"role":"user","content":5}]}"#).unwrap_err().message;
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
        assert_eq!(failure.code, "invalid-request");
        assert!(failure.message.contains("yesterday"), "{}", failure.message);
    }

    #[test]
    fn an_option_that_is_not_known_is_named() {
        let failure = parse::<ChatRequest>(r#"{"messages":[],"temprature":1}"#).unwrap_err();
        assert_eq!(failure.code, "invalid-request");
        assert!(failure.message.contains("temprature"), "{}", failure.message);
    }

    #[test]
    fn there_is_one_reply_at_least() {
        let n = |n: &str| parse::<ChatRequest>(&format!(r#"{{"messages":[],"n":{n}}}"#)).map(|r| r.n());
        assert_eq!((n("null").unwrap(), n("3").unwrap()), (1, 3));
        assert_eq!(n("0").unwrap_err().code, "invalid-request");
    }

    #[test]
    fn weight_formats_go_by_the_command_s_names() {
        let json = |weights: &str| {
            format!(
                r#"{{"backend":"wasm","weights":"{weights}","context":null,"subgroups":false,"threads":1,"parallel":null}}"#
            )
        };
        assert!(parse::<LoadRequest>(&json("fp8")).unwrap().options().is_ok());
        assert!(parse::<LoadRequest>(&json("int3")).unwrap().options().unwrap_err().message.contains("int3"));
        assert!(parse::<LoadRequest>(&json("auto").replace("wasm", "cuda")).is_err());
    }
}
