//! What comes of work while it goes on.

use std::ffi::c_void;

use hala::{ChatCompletion, ChatReply, CompletionHead, Output, TextCompletion, TranslateReply};

use crate::entry::inside;
use crate::failure::Failure;
use crate::status::Status;
use crate::text::{Terminated, Text};

/// What an event tells.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// `text` is the next of a reply or of a translation; of the latter `source` and `target` tell where.
    Text = 1,
    /// `text` is the next of what the model thinks before it answers.
    Reasoning = 2,
    /// `json` is a call of a function, as in `tool_calls` of the OpenAI API. No model's are told apart yet.
    ToolCall = 3,
    /// The text with this `index` has ended: `json` is all that there is to say of it. Of replies it comes once, for all.
    Done = 4,
    /// The text with this `index` could not be worked on: `status`, and `text` has the words. Others go on.
    Failed = 5,
}

/// A part of a text, in bytes.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

/// What comes of work while it goes on. Later versions may add fields at the end, and kinds, which are to be passed over.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// Bytes of this struct as the library has it.
    pub struct_size: usize,
    /// A HalaEventKind.
    pub kind: i32,
    /// How a text failed, a HalaStatus.
    pub status: i32,
    /// Which text or reply, from 0.
    pub index: usize,
    /// The text.
    pub text: Text,
    /// The sentence, or the white space, of which `text` is the translation, in the text that was given.
    pub source: Range,
    /// Where `text` is in the translation.
    pub target: Range,
    /// JSON.
    pub json: Text,
}

/// Takes an event; `false` stops the work. `event` is there until it returns.
pub type EventCallback = Option<unsafe extern "C" fn(event: *const Event, user_data: *mut c_void) -> bool>;

/// What the JSON of an end is.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Of a translation.
    Translation,
    /// A chat completion.
    Chat(CompletionHead),
    /// A text completion.
    Text(CompletionHead),
}

impl Answer {
    /// The JSON of replies or texts.
    ///
    /// # Errors
    /// They were stopped on request.
    fn json(&self, reply: ChatReply) -> Result<String, Failure> {
        match self {
            Self::Text(head) => json(&TextCompletion::new(head.clone(), reply)?),
            Self::Chat(head) => json(&ChatCompletion::new(head.clone(), reply)?),
            // Translations have an end of their own.
            Self::Translation => Ok(String::new()),
        }
    }
}

/// An event with its texts.
#[derive(Debug)]
pub(crate) struct Owned {
    text: Terminated,
    json: Terminated,
    /// Its texts are those beside it, which do not move.
    event: Event,
}

// SAFETY: its pointers point to its own strings.
unsafe impl Send for Owned {}

impl Owned {
    fn new(kind: EventKind, index: usize, text: String, json: String) -> Self {
        let (text, json) = (Terminated::new(text), Terminated::new(json));
        let struct_size = size_of::<Event>();
        let nowhere = Range::default();
        let event = Event {
            struct_size,
            kind: kind as i32,
            status: Status::Ok as i32,
            index,
            text: text.lend(),
            source: nowhere,
            target: nowhere,
            json: json.lend(),
        };
        Self { text, json, event }
    }

    /// The events of an output, of which there may be none: a reply's end is told with all of them.
    ///
    /// # Errors
    /// It was stopped on request.
    pub(crate) fn of(output: Output, answer: &Answer) -> Result<Vec<Self>, Failure> {
        let none = String::new;
        Ok(match output {
            Output::Reply(piece) => {
                let of = |kind, text: String| Self::new(kind, piece.index, text, none());
                let reasoning = (EventKind::Reasoning, piece.reasoning);
                let told = [reasoning, (EventKind::Text, piece.text)].into_iter();
                told.filter(|(_, text)| !text.is_empty()).map(|(kind, text)| of(kind, text)).collect()
            }
            Output::Replied(reply) => {
                vec![Self::new(EventKind::Done, 0, none(), answer.json(*reply)?)]
            }
            Output::Translating(piece) => {
                let mut told = Self::new(EventKind::Text, piece.index, piece.text, none());
                told.event.source = Range { start: piece.source.start, end: piece.source.end };
                told.event.target = Range { start: piece.target.start, end: piece.target.end };
                vec![told]
            }
            Output::Translated { index, translated } => {
                let reply = TranslateReply::in_bytes(*translated)?;
                vec![Self::new(EventKind::Done, index, none(), json(&reply)?)]
            }
            Output::Failed { index, error } => {
                let failure = Failure::from(error);
                let mut told = Self::new(EventKind::Failed, index, failure.message, none());
                told.event.status = failure.status as i32;
                vec![told]
            }
        })
    }

    pub(crate) fn event(&self) -> &Event {
        &self.event
    }

    pub(crate) fn text(&self) -> &str {
        self.text.as_str()
    }

    pub(crate) fn json(&self) -> &str {
        self.json.as_str()
    }

    /// Why one of several texts could not be worked on, where this tells it.
    pub(crate) fn failure(&self) -> Option<Failure> {
        let status = Status::ALL.into_iter().find(|status| *status as i32 == self.event.status)?;
        self.is(EventKind::Failed).then(|| Failure::new(status, self.text()))
    }

    pub(crate) fn is(&self, kind: EventKind) -> bool {
        self.event.kind == kind as i32
    }
}

/// Any value as JSON.
///
/// # Errors
/// None for the library's own types.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::new(Status::Internal, error.to_string()))
}

/// A callback with what it is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listener {
    pub(crate) callback: EventCallback,
    pub(crate) user_data: *mut c_void,
}

impl Listener {
    /// Tells, and gives whether it goes on.
    pub(crate) fn tell(&self, event: &Event) -> bool {
        let Some(callback) = self.callback else { return true };
        // SAFETY: the pointers are the caller's, and what they point to is there until the callback returns.
        inside(|| unsafe { callback(event, self.user_data) })
    }
}
