//! What is said about a reply besides its text: a line of JSON, and which messages its prompt left out.

use std::ops::Range;

use hala_engine::{FinishReason, Generated, Usage};
use hala_text::Message;
use serde::Serialize;

use crate::commands::usage::TimingsJson;
use crate::terminal::isolate;

/// A reply in JSON, in the words of the OpenAI API where it has them.
#[derive(Debug, Serialize)]
pub(super) struct ReplyJson<'a> {
    message: MessageJson<'a>,
    finish_reason: FinishReason,
    usage: Usage,
    timings: TimingsJson,
    /// The oldest messages that no longer fit.
    dropped_messages: usize,
}

#[derive(Debug, Serialize)]
struct MessageJson<'a> {
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    content: &'a str,
}

impl<'a> ReplyJson<'a> {
    /// Of what was generated, and of how many messages its prompt left out.
    pub(super) fn new(generated: &'a Generated, dropped_messages: usize) -> Self {
        let (reasoning_content, content) = (generated.reasoning.as_deref(), generated.text.as_str());
        Self {
            message: MessageJson { role: "assistant", reasoning_content, content },
            finish_reason: generated.finish,
            usage: generated.usage,
            timings: TimingsJson::new(&generated.usage, &generated.timings),
            dropped_messages,
        }
    }
}

/// Which messages are left out from now on, with the first words of the first and the last; `None` where there are none.
pub(super) fn left_out(messages: &[Message], dropped: Range<usize>) -> Option<String> {
    let left = messages.get(dropped.clone())?;
    let (first, last) = (left.first()?, left.last()?);
    let numbers = match left.len() {
        1 => format!("message {} is", dropped.end),
        _ => format!("messages {} to {} are", dropped.start + 1, dropped.end),
    };
    let words = match left.len() {
        1 => excerpt(first),
        _ => format!("{} to {}", excerpt(first), excerpt(last)),
    };
    Some(format!("the conversation outgrew the context: {numbers} left out from now on ({words})"))
}

/// `user: "Good morning, how…"`
fn excerpt(message: &Message) -> String {
    const N_CHARACTERS: usize = 24;
    let line = message.content.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut words: String = line.chars().take(N_CHARACTERS).collect();
    if words.len() < line.len() {
        words.push('…');
    }
    format!("{}: \"{}\"", message.role, isolate(&words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_are_left_out_are_told_by_number_and_first_words() {
        let messages = [
            Message::user("one"),
            Message::assistant("two\nlines and more than there is room for"),
            Message::user("x"),
        ];
        let told = left_out(&messages, 0..2).unwrap();
        assert!(told.contains("messages 1 to 2 are left out") && told.contains("user: "), "{told}");
        assert!(told.contains("two lines and more than ") && told.contains('…'), "{told}");
        assert!(left_out(&messages, 2..3).unwrap().contains("message 3 is left out"));
        assert_eq!(left_out(&messages, 2..2), None);
    }
}
