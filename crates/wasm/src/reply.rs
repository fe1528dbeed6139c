//! What the worker is answered, as JSON.

use std::ops::Range;

use hala_engine::{
    FinishReason, Generated, Piece, Remarks, Sampling, SamplingChoice, SamplingDefaults, Timings,
    TokenLogprob, Translated, Usage,
};
use hala_text::{Language, OtherLanguage, Tokenizer};
use serde::Serialize;

use crate::request::BackendName;

/// A value as JSON. (Values of this crate have no keys or numbers that JSON cannot hold.)
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A piece of a reply, or its end where there are several.
#[derive(Debug, Serialize)]
pub(crate) struct ChatPiece<'a> {
    /// Which reply, from 0.
    index: usize,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs: Option<TokenReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish: Option<FinishReason>,
}

impl<'a> ChatPiece<'a> {
    pub(crate) fn new(tokenizer: &Tokenizer, index: usize, piece: &'a Piece) -> Self {
        let logprobs = piece.logprobs.as_ref().map(|logprob| TokenReport::new(tokenizer, logprob));
        Self { index, text: &piece.text, logprobs, finish: None }
    }

    pub(crate) fn end(index: usize, finish: FinishReason) -> Self {
        Self { index, text: "", logprobs: None, finish: Some(finish) }
    }
}

/// Log-probabilities of a token, in the words of the OpenAI API.
#[derive(Debug, Serialize)]
struct TokenReport {
    #[serde(flatten)]
    chosen: CandidateReport,
    top_logprobs: Vec<CandidateReport>,
}

/// A token that was or could have been chosen.
#[derive(Debug, Serialize)]
struct CandidateReport {
    token: String,
    logprob: f32,
    bytes: Option<Vec<u8>>,
}

impl TokenReport {
    fn new(tokenizer: &Tokenizer, logprob: &TokenLogprob) -> Self {
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

/// Where the time went.
#[derive(Debug, Serialize)]
struct TimesReport {
    prefill_ms: f64,
    decode_ms: f64,
}

impl From<Timings> for TimesReport {
    fn from(timings: Timings) -> Self {
        Self {
            prefill_ms: timings.prefill.as_secs_f64() * 1e3,
            decode_ms: timings.decode.as_secs_f64() * 1e3,
        }
    }
}

/// All replies to a conversation.
#[derive(Debug, Serialize)]
pub(crate) struct ChatReply {
    choices: Vec<ChoiceReport>,
    /// Of all together, the prompt counted once, as it is held once.
    usage: Usage,
    timings: TimesReport,
    dropped_messages: usize,
}

/// A whole reply.
#[derive(Debug, Serialize)]
struct ChoiceReport {
    text: String,
    finish: FinishReason,
}

impl ChatReply {
    pub(crate) fn new(replies: Vec<Generated>, dropped_messages: usize) -> Self {
        let mut usage = replies.first().map(|first| first.usage).unwrap_or_default();
        for Generated { usage: more, .. } in &replies[1.min(replies.len())..] {
            usage.completion_tokens += more.completion_tokens;
            usage.completion_tokens_details.add(more.completion_tokens_details);
        }
        let mut timings = Timings::default();
        replies.iter().for_each(|reply| timings.add(reply.timings));
        let choices = replies.into_iter().map(|Generated { text, finish, .. }| ChoiceReport { text, finish });
        Self { choices: choices.collect(), usage, timings: timings.into(), dropped_messages }
    }
}

/// A whole translation.
#[derive(Debug, Serialize)]
pub(crate) struct TranslateReply {
    text: String,
    from: Language,
    to: Language,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_language: Option<OtherLanguage>,
    segments: Vec<SegmentReport>,
    finish: FinishReason,
    usage: Usage,
    timings: TimesReport,
}

/// A sentence and its translation, in UTF-16 units, and what there is to say of it.
#[derive(Debug, Serialize)]
struct SegmentReport {
    source: [usize; 2],
    target: [usize; 2],
    #[serde(flatten)]
    remarks: Remarks,
}

impl TranslateReply {
    pub(crate) fn new(source: &str, translated: Translated) -> Self {
        let Translated { text, to, other_language, segments, finish, usage, timings } = translated;
        let sources = utf16(source, segments.iter().map(|s| s.source.clone()));
        let targets = utf16(&text, segments.iter().map(|s| s.target.clone()));
        let remarks = segments.iter().map(|s| s.remarks);
        let segments = sources.into_iter().zip(targets).zip(remarks);
        let segments =
            segments.map(|((source, target), remarks)| SegmentReport { source, target, remarks }).collect();
        let (from, timings) = (to.other(), timings.into());
        Self { text, from, to, other_language, segments, finish, usage, timings }
    }
}

/// Ranges of bytes as ranges of UTF-16 units, as JavaScript counts; they come in the order of the text.
fn utf16(text: &str, ranges: impl Iterator<Item = Range<usize>>) -> Vec<[usize; 2]> {
    let (mut at, mut units) = (0, 0);
    let mut to_units = |position: usize| {
        units += text.get(at..position).unwrap_or_default().encode_utf16().count();
        at = position;
        units
    };
    ranges.map(|range| [to_units(range.start), to_units(range.end)]).collect()
}

/// A choice of tokens, in the words of a request.
#[derive(Debug, Serialize)]
pub(crate) struct SamplingReport {
    temperature: f32,
    top_p: f32,
    top_k: usize,
    min_p: f32,
    repetition_penalty: f32,
    max_tokens: Option<usize>,
    /// Settings of the checkpoint that are not followed.
    passed_over: Vec<String>,
}

impl SamplingReport {
    pub(crate) fn new(defaults: &SamplingDefaults) -> Option<Self> {
        let sampling = defaults.choose(&Sampling::conversation(), &SamplingChoice::default()).ok()?;
        let Sampling { temperature, top_p, top_k, min_p, repetition_penalty, .. } = sampling;
        let max_tokens = defaults.max_tokens(None).ok()?;
        let passed_over = defaults.passed_over().to_vec();
        Some(Self { temperature, top_p, top_k, min_p, repetition_penalty, max_tokens, passed_over })
    }
}

/// What was loaded and what runs it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Info {
    pub(crate) family: &'static str,
    pub(crate) parameters: usize,
    pub(crate) layers: usize,
    pub(crate) width: usize,
    pub(crate) vocabulary: usize,
    pub(crate) context: usize,
    pub(crate) max_context: usize,
    pub(crate) weight_bytes: usize,
    pub(crate) cache_bytes_per_token: usize,
    /// How a chat chooses tokens where its request does not say; none where the checkpoint's own settings mean nothing.
    pub(crate) sampling: Option<SamplingReport>,
    pub(crate) backend: BackendName,
    pub(crate) device: String,
    pub(crate) subgroups: bool,
    pub(crate) threads: usize,
}

/// What happens besides the work that was asked for.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Event<'a> {
    /// A weight is on the device.
    Load { name: &'a str, loaded: usize, total: usize },
    /// The GPU went away, and is being set up once more.
    DeviceLost { reason: &'a str },
    /// Another backend took over.
    BackendChange { backend: BackendName, reason: &'a str },
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn offsets_count_as_javascript_does() {
        let text = "a😀ب c";
        let ranges = [0..1, 1..5, 5..7, 8..9];
        assert_eq!(utf16(text, ranges.into_iter()), [[0, 1], [1, 3], [3, 4], [5, 6]]);
    }

    #[test]
    fn costs_are_of_all_replies_and_the_prompt_counts_once() {
        let reply = |completion_tokens| Generated {
            ids: Vec::new(),
            text: String::from("x"),
            finish: FinishReason::Stop,
            usage: Usage { prompt_tokens: 10, cached_tokens: 4, completion_tokens, ..Usage::default() },
            timings: Timings { prefill: Duration::from_millis(2), decode: Duration::from_millis(3) },
        };
        let told = serde_json::to_value(ChatReply::new(vec![reply(5), reply(7)], 1)).unwrap();
        let usage = json!({"prompt_tokens": 10, "cached_tokens": 4, "completion_tokens": 12});
        assert_eq!(told["usage"], usage);
        assert_eq!(told["timings"], json!({"prefill_ms": 4.0, "decode_ms": 6.0}));
        let choice = json!({"text": "x", "finish": "stop"});
        assert_eq!(told["choices"], json!([choice, choice]));
    }

    #[test]
    fn events_are_told_apart_by_their_type() {
        let event = Event::DeviceLost { reason: "r" };
        assert_eq!(serde_json::to_string(&event).unwrap(), r#"{"type":"devicelost","reason":"r"}"#);
    }
}
