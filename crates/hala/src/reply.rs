//! What is answered: replies to conversations, and translations.

use std::ops::Range;

use hala_engine::{
    FinishReason, Generated, Piece, Remarks, Sampling, SamplingChoice, SamplingDefaults, Timings, Translated,
    Usage,
};
use hala_text::{Language, OtherLanguage, Tokenizer};
use serde::Serialize;

use crate::costs::{TimingsReport, UsageReport};
use crate::error::Error;
use crate::finish::Finish;
use crate::logprobs::TokenReport;

/// A piece of a reply, or its end where there are several.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatPiece {
    /// Which reply, from 0.
    pub index: usize,
    /// What the model thinks before it answers, as it writes it: empty where it does not, and once it answers.
    pub reasoning: String,
    /// Its next text.
    pub text: String,
    /// Log-probabilities of the token, where asked for.
    pub logprobs: Option<TokenReport>,
    /// Why the reply ended, where there are several and this is its end.
    pub finish: Option<FinishReason>,
}

impl ChatPiece {
    pub(crate) fn new(tokenizer: &Tokenizer, index: usize, piece: Piece) -> Self {
        let logprobs = piece.logprobs.as_ref().map(|logprob| TokenReport::new(tokenizer, logprob));
        Self { index, reasoning: piece.reasoning, text: piece.text, logprobs, finish: None }
    }

    pub(crate) fn end(index: usize, finish: FinishReason) -> Self {
        let (reasoning, text) = (String::new(), String::new());
        Self { index, reasoning, text, logprobs: None, finish: Some(finish) }
    }
}

/// All replies to a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatReply {
    /// The replies, by their index.
    pub choices: Vec<Choice>,
    /// Of all together, the prompt counted once, as it is held once.
    pub usage: Usage,
    /// Where the time went.
    pub timings: Timings,
    /// Messages at the start that no longer fit the context.
    pub dropped_messages: usize,
}

/// A whole reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What the model thought before it answered, where it did.
    pub reasoning: Option<String>,
    /// Its text.
    pub text: String,
    /// Of each token, those of a thought among them, where asked for.
    pub logprobs: Option<Vec<TokenReport>>,
    /// Why it ended.
    pub finish: FinishReason,
}

impl ChatReply {
    /// `logprobs` are those of each reply, where asked for.
    pub(crate) fn new(
        replies: Vec<Generated>,
        logprobs: Option<Vec<Vec<TokenReport>>>,
        dropped_messages: usize,
    ) -> Self {
        let mut usage = replies.first().map(|first| first.usage).unwrap_or_default();
        for Generated { usage: more, .. } in &replies[1.min(replies.len())..] {
            usage.completion_tokens += more.completion_tokens;
            usage.completion_tokens_details.add(more.completion_tokens_details);
        }
        let mut timings = Timings::default();
        replies.iter().for_each(|reply| timings.add(reply.timings));
        let mut logprobs = logprobs.map(Vec::into_iter);
        let choice = |Generated { reasoning, text, finish, .. }| {
            let logprobs = logprobs.as_mut().map(|all| all.next().unwrap_or_default());
            Choice { reasoning, text, logprobs, finish }
        };
        let choices = replies.into_iter().map(choice).collect();
        Self { choices, usage, timings, dropped_messages }
    }

    /// The tokens in the words of the OpenAI API.
    pub fn usage_report(&self) -> UsageReport {
        self.usage.into()
    }

    /// The times in the words of llama.cpp's server.
    pub fn timings_report(&self) -> TimingsReport {
        TimingsReport::new(self.usage, self.timings, self.choices.len())
    }
}

/// A whole translation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TranslateReply {
    /// The translation.
    pub text: String,
    /// The language of the text.
    pub from: Language,
    /// The language of the translation.
    pub to: Language,
    /// The language that the text seems to be in, where that is neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_language: Option<OtherLanguage>,
    /// Which sentence became which.
    pub segments: Vec<SegmentReport>,
    /// Why it ended: `length` where a sentence ran into its limit.
    pub finish_reason: Finish,
    /// Tokens.
    pub usage: UsageReport,
    /// Where the time went.
    pub timings: TimingsReport,
}

/// A sentence and its translation, and what there is to say of it: in UTF-16 units as JavaScript, Java and Swift count, or in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SegmentReport {
    /// Its place in the text.
    pub source: [usize; 2],
    /// Its place in the translation.
    pub target: [usize; 2],
    /// What there is to say of it.
    #[serde(flatten)]
    pub remarks: Remarks,
}

impl TranslateReply {
    /// The report of a translation of `source`, whose segments are in UTF-16 units.
    ///
    /// # Errors
    /// It was stopped on request.
    pub fn new(source: &str, translated: Translated) -> Result<Self, Error> {
        let sources = utf16(source, translated.segments.iter().map(|s| s.source.clone()));
        let targets = utf16(&translated.text, translated.segments.iter().map(|s| s.target.clone()));
        Self::with(translated, sources, targets)
    }

    /// The report of a translation, whose segments are in bytes of UTF-8.
    ///
    /// # Errors
    /// It was stopped on request.
    pub fn in_bytes(translated: Translated) -> Result<Self, Error> {
        let ends = |range: &Range<usize>| [range.start, range.end];
        let sources = translated.segments.iter().map(|s| ends(&s.source)).collect();
        let targets = translated.segments.iter().map(|s| ends(&s.target)).collect();
        Self::with(translated, sources, targets)
    }

    fn with(
        translated: Translated,
        sources: Vec<[usize; 2]>,
        targets: Vec<[usize; 2]>,
    ) -> Result<Self, Error> {
        let Translated { text, to, other_language, segments, finish, usage, timings } = translated;
        let finish_reason = finish.try_into()?;
        let remarks = segments.iter().map(|s| s.remarks);
        let segments = sources.into_iter().zip(targets).zip(remarks);
        let segments =
            segments.map(|((source, target), remarks)| SegmentReport { source, target, remarks }).collect();
        let (from, timings, usage) = (to.other(), TimingsReport::new(usage, timings, 1), usage.into());
        Ok(Self { text, from, to, other_language, segments, finish_reason, usage, timings })
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SamplingReport {
    /// As in a request.
    pub temperature: f32,
    /// As in a request.
    pub top_p: f32,
    /// As in a request.
    pub top_k: usize,
    /// As in a request.
    pub min_p: f32,
    /// As in a request.
    pub repetition_penalty: f32,
    /// As in a request.
    pub max_tokens: Option<usize>,
    /// Settings of the checkpoint that are not followed.
    pub passed_over: Vec<String>,
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
            reasoning: Some(String::from("y")),
            text: String::from("x"),
            finish: FinishReason::Stop,
            usage: Usage { prompt_tokens: 10, cached_tokens: 4, completion_tokens, ..Usage::default() },
            timings: Timings { prefill: Duration::from_millis(2), decode: Duration::from_millis(3) },
        };
        let told = ChatReply::new(vec![reply(5), reply(7)], None, 1);
        let usage = json!({"prompt_tokens": 10, "completion_tokens": 12, "total_tokens": 22, "prompt_tokens_details": {"cached_tokens": 4}});
        assert_eq!(serde_json::to_value(told.usage_report()).unwrap(), usage);
        let timings = TimingsReport {
            prompt_ms: 4.0,
            prompt_per_second: 1500.0,
            predicted_ms: 6.0,
            predicted_per_second: 10_000.0 / 6.0,
        };
        assert_eq!(told.timings_report(), timings);
        let (reasoning, text) = (Some(String::from("y")), String::from("x"));
        assert_eq!(
            told.choices,
            vec![Choice { reasoning, text, logprobs: None, finish: FinishReason::Stop }; 2]
        );
    }
}
