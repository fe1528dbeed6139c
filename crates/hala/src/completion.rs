//! Replies to a conversation in the shape of the OpenAI API: a whole [`ChatCompletion`], or the [`ChatCompletionChunk`]s of a stream.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat>.

use std::collections::BTreeSet;

use serde::Serialize;
use web_time::{SystemTime, UNIX_EPOCH};

use crate::costs::{TimingsReport, UsageReport};
use crate::error::Error;
use crate::finish::Finish;
use crate::logprobs::TokenReport;
use crate::reply::{ChatPiece, ChatReply};
use crate::request::ChatRequest;

/// What a completion and all chunks of a stream begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletionHead {
    /// `chatcmpl-` and a number in hexadecimal.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// The model, as the request names it.
    pub model: String,
}

impl CompletionHead {
    /// Of an answer that begins now; `number` is another for each.
    pub fn new(number: u64, request: &ChatRequest) -> Self {
        Self::named(number, request.model.as_deref())
    }

    /// The same, of a request that names this model.
    pub fn named(number: u64, model: Option<&str>) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let model = model.unwrap_or_default().to_owned();
        Self { id: format!("chatcmpl-{number:016x}"), created: since.as_secs(), model }
    }
}

/// All replies to a conversation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatCompletion {
    /// As in [`CompletionHead`].
    pub id: String,
    /// `chat.completion`.
    pub object: &'static str,
    /// As in [`CompletionHead`].
    pub created: u64,
    /// As in [`CompletionHead`].
    pub model: String,
    /// The replies, by their index.
    pub choices: Vec<ChatChoice>,
    /// Of all together, the prompt counted once.
    pub usage: UsageReport,
    /// Of all together.
    pub timings: TimingsReport,
}

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatChoice {
    /// Which reply, from 0.
    pub index: usize,
    /// What was said.
    pub message: ReplyMessage,
    /// Of each token, where asked for.
    pub logprobs: Option<ChoiceLogprobs>,
    /// Why it ended.
    pub finish_reason: Finish,
}

/// A reply as a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReplyMessage {
    /// `assistant`.
    pub role: &'static str,
    /// What the model thought before it answered, as it wrote it, where it did. The API has no word for it; this is DeepSeek's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// The text.
    pub content: String,
    /// Always `None`: refusals are not told apart.
    pub refusal: Option<String>,
}

/// Log-probabilities of a reply or a part of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChoiceLogprobs {
    /// Token by token.
    pub content: Vec<TokenReport>,
    /// Always `None`.
    pub refusal: Option<Vec<TokenReport>>,
}

impl From<Vec<TokenReport>> for ChoiceLogprobs {
    fn from(content: Vec<TokenReport>) -> Self {
        Self { content, refusal: None }
    }
}

impl ChatCompletion {
    /// The replies as a completion.
    ///
    /// # Errors
    /// They were stopped on request.
    pub fn new(head: CompletionHead, reply: ChatReply) -> Result<Self, Error> {
        let (usage, timings) = (reply.usage_report(), reply.timings_report());
        let mut choices = Vec::with_capacity(reply.choices.len());
        for (index, choice) in reply.choices.into_iter().enumerate() {
            let (reasoning_content, content) = (choice.reasoning, choice.text);
            choices.push(ChatChoice {
                index,
                message: ReplyMessage { role: ASSISTANT, reasoning_content, content, refusal: None },
                logprobs: choice.logprobs.map(ChoiceLogprobs::from),
                finish_reason: choice.finish.try_into()?,
            });
        }
        let CompletionHead { id, created, model } = head;
        Ok(Self { id, object: "chat.completion", created, model, choices, usage, timings })
    }
}

const ASSISTANT: &str = "assistant";

/// A part of a stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChatCompletionChunk {
    /// As in [`CompletionHead`].
    pub id: String,
    /// `chat.completion.chunk`.
    pub object: &'static str,
    /// As in [`CompletionHead`].
    pub created: u64,
    /// As in [`CompletionHead`].
    pub model: String,
    /// One part of one reply; none in the chunk that tells the usage.
    pub choices: Vec<ChunkChoice>,
    /// Where the request includes usage: `Some(None)`, and at last the tokens of all replies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Option<UsageReport>>,
    /// Where the time went, at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timings: Option<TimingsReport>,
}

/// A part of a reply.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ChunkChoice {
    /// Which reply, from 0.
    pub index: usize,
    /// What is added to it.
    pub delta: Delta,
    /// Of the tokens added, where asked for.
    pub logprobs: Option<ChoiceLogprobs>,
    /// Why it ended, in its last part.
    pub finish_reason: Option<Finish>,
}

/// What is added to a message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Delta {
    /// `assistant`, in its first part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// Text of a thought before the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// Text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// Makes the chunks of a stream from the pieces of its replies.
#[derive(Debug)]
pub struct Chunks {
    head: CompletionHead,
    includes_usage: bool,
    /// Replies that go on.
    open: BTreeSet<usize>,
    is_begun: bool,
}

impl Chunks {
    /// For the replies to a request.
    pub fn new(head: CompletionHead, request: &ChatRequest) -> Self {
        let includes_usage = request.stream_options.is_some_and(|options| options.include_usage);
        Self { head, includes_usage, open: (0..request.n()).collect(), is_begun: false }
    }

    /// The chunks of a piece: before the first of all, each reply begins with its role.
    pub fn of(&mut self, piece: ChatPiece) -> Vec<ChatCompletionChunk> {
        let mut chunks = self.beginnings();
        let ChatPiece { index, reasoning, text, logprobs, finish } = piece;
        let (thinks, says) = (!reasoning.is_empty(), !text.is_empty());
        if thinks || says || logprobs.is_some() {
            let logprobs = logprobs.map(|logprobs| vec![logprobs].into());
            let reasoning_content = Some(reasoning).filter(|_| thinks);
            let delta =
                Delta { reasoning_content, content: Some(text).filter(|_| says || !thinks), role: None };
            chunks.push(self.chunk(ChunkChoice { index, delta, logprobs, finish_reason: None }));
        }
        // The last to end ends with all: what it cost comes with it. Of what was stopped, the end tells.
        let finish = finish.and_then(|finish| Finish::try_from(finish).ok());
        if let Some(finish) = finish.filter(|_| self.open.len() > 1) {
            self.open.remove(&index);
            chunks.push(self.ending(index, finish));
        }
        chunks
    }

    /// The chunks after the last piece.
    ///
    /// # Errors
    /// The replies were stopped on request.
    pub fn end(mut self, reply: &ChatReply) -> Result<Vec<ChatCompletionChunk>, Error> {
        let mut chunks = self.beginnings();
        let timings = Some(reply.timings_report());
        for (index, choice) in reply.choices.iter().enumerate().filter(|(i, _)| self.open.contains(i)) {
            chunks.push(ChatCompletionChunk { timings, ..self.ending(index, choice.finish.try_into()?) });
        }
        if self.includes_usage {
            let usage = Some(Some(reply.usage_report()));
            chunks.push(ChatCompletionChunk { usage, timings, ..self.with(Vec::new()) });
        }
        Ok(chunks)
    }

    fn beginnings(&mut self) -> Vec<ChatCompletionChunk> {
        if std::mem::replace(&mut self.is_begun, true) {
            return Vec::new();
        }
        let begins = || Delta { role: Some(ASSISTANT), content: Some(String::new()), ..Delta::default() };
        let choice = |index: &usize| ChunkChoice { index: *index, delta: begins(), ..ChunkChoice::default() };
        self.open.iter().map(|index| self.chunk(choice(index))).collect()
    }

    fn ending(&self, index: usize, finish: Finish) -> ChatCompletionChunk {
        self.chunk(ChunkChoice { index, finish_reason: Some(finish), ..ChunkChoice::default() })
    }

    fn chunk(&self, choice: ChunkChoice) -> ChatCompletionChunk {
        self.with(vec![choice])
    }

    fn with(&self, choices: Vec<ChunkChoice>) -> ChatCompletionChunk {
        let CompletionHead { id, created, model } = self.head.clone();
        let usage = self.includes_usage.then_some(None);
        ChatCompletionChunk {
            id,
            object: "chat.completion.chunk",
            created,
            model,
            choices,
            usage,
            timings: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use hala_engine::FinishReason;
    use serde_json::{Value, json};

    use super::*;
    use crate::reply::Choice;
    use crate::request::parse;

    fn request(more: &str) -> ChatRequest {
        parse(&format!(r#"{{"messages":[],"model":"m"{more}}}"#)).unwrap()
    }

    fn head(request: &ChatRequest) -> CompletionHead {
        CompletionHead { created: 5, ..CompletionHead::new(255, request) }
    }

    fn piece(index: usize, text: &str, finish: Option<FinishReason>) -> ChatPiece {
        ChatPiece { index, reasoning: String::new(), text: text.to_owned(), logprobs: None, finish }
    }

    fn reply(finishes: &[FinishReason]) -> ChatReply {
        let choice = |finish: &FinishReason| Choice {
            reasoning: None,
            text: "ab".to_owned(),
            logprobs: None,
            finish: *finish,
        };
        ChatReply {
            choices: finishes.iter().map(choice).collect(),
            usage: hala_engine::Usage { prompt_tokens: 3, completion_tokens: 4, ..Default::default() },
            timings: hala_engine::Timings::default(),
            dropped_messages: 0,
        }
    }

    /// What is the same in all chunks, and then what is not.
    fn told(chunks: Vec<ChatCompletionChunk>) -> Vec<Value> {
        let told = |chunk| {
            let mut value = serde_json::to_value::<ChatCompletionChunk>(chunk).unwrap();
            let fields = value.as_object_mut().unwrap();
            assert_eq!(fields.remove("id").unwrap(), "chatcmpl-00000000000000ff");
            assert_eq!(fields.remove("object").unwrap(), "chat.completion.chunk");
            assert_eq!(
                (fields.remove("created"), fields.remove("model")),
                (Some(json!(5)), Some(json!("m")))
            );
            if fields.contains_key("timings") {
                fields.insert("timings".to_owned(), json!("told"));
            }
            value
        };
        chunks.into_iter().map(told).collect()
    }

    fn choice(index: usize, delta: &Value, finish: Option<&str>) -> Value {
        json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": finish}])
    }

    #[test]
    fn a_stream_begins_with_the_role_and_ends_with_the_reason_and_the_times() {
        let request = request("");
        let mut chunks = Chunks::new(head(&request), &request);
        let mut all = told(chunks.of(piece(0, "ab", None)));
        assert!(chunks.of(piece(0, "", None)).is_empty());
        all.extend(told(chunks.end(&reply(&[FinishReason::Length])).unwrap()));
        let expected = [
            json!({"choices": choice(0, &json!({"role": "assistant", "content": ""}), None)}),
            json!({"choices": choice(0, &json!({"content": "ab"}), None)}),
            json!({"choices": choice(0, &json!({}), Some("length")), "timings": "told"}),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn replies_end_one_by_one_and_the_last_with_the_usage_of_all() {
        let request = request(r#","n":2,"stream_options":{"include_usage":true}"#);
        let mut chunks = Chunks::new(head(&request), &request);
        let mut all = told(chunks.of(piece(1, "x", Some(FinishReason::Stop))));
        all.extend(told(chunks.of(piece(0, "y", Some(FinishReason::Stop)))));
        all.extend(told(chunks.end(&reply(&[FinishReason::Stop; 2])).unwrap()));
        let begins = json!({"role": "assistant", "content": ""});
        let usage = json!({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "prompt_tokens_details": {"cached_tokens": 0}});
        let expected = [
            json!({"usage": null, "choices": choice(0, &begins, None)}),
            json!({"usage": null, "choices": choice(1, &begins, None)}),
            json!({"usage": null, "choices": choice(1, &json!({"content": "x"}), None)}),
            json!({"usage": null, "choices": choice(1, &json!({}), Some("stop"))}),
            json!({"usage": null, "choices": choice(0, &json!({"content": "y"}), None)}),
            json!({"usage": null, "choices": choice(0, &json!({}), Some("stop")), "timings": "told"}),
            json!({"usage": usage, "choices": [], "timings": "told"}),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn thoughts_have_a_field_of_their_own_which_is_absent_where_there_are_none() {
        let request = request("");
        let mut chunks = Chunks::new(head(&request), &request);
        let thinks =
            |reasoning: &str, text| ChatPiece { reasoning: reasoning.to_owned(), ..piece(0, text, None) };
        let mut all = told(chunks.of(thinks("hm", "")));
        all.extend(told(chunks.of(thinks(".", "Yes"))));
        all.extend(told(chunks.of(thinks("", "!"))));
        let deltas = [
            json!({"role": "assistant", "content": ""}),
            json!({"reasoning_content": "hm"}),
            json!({"reasoning_content": ".", "content": "Yes"}),
            json!({"content": "!"}),
        ];
        assert_eq!(all, deltas.map(|delta| json!({"choices": choice(0, &delta, None)})));
        let mut reply = reply(&[FinishReason::Stop]);
        reply.choices[0].reasoning = Some("hm.".to_owned());
        let whole = ChatCompletion::new(head(&request), reply).unwrap();
        let message =
            json!({"role": "assistant", "reasoning_content": "hm.", "content": "ab", "refusal": null});
        assert_eq!(serde_json::to_value(whole).unwrap()["choices"][0]["message"], message);
    }

    #[test]
    fn replies_that_were_stopped_are_no_completion() {
        let request = request("");
        let finishes = [FinishReason::Stop, FinishReason::Cancelled];
        assert!(ChatCompletion::new(head(&request), reply(&finishes)).unwrap_err().is_cancelled());
        assert!(
            Chunks::new(head(&request), &request).end(&reply(&finishes[1..])).unwrap_err().is_cancelled()
        );
        let whole = ChatCompletion::new(head(&request), reply(&finishes[..1])).unwrap();
        let expected = json!([{
            "index": 0, "message": {"role": "assistant", "content": "ab", "refusal": null}, "logprobs": null, "finish_reason": "stop",
        }]);
        assert_eq!(serde_json::to_value(whole).unwrap()["choices"], expected);
    }
}
