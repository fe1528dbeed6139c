//! Chat messages and what a chat template is given besides them.

use std::ops::Range;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::clock::LocalTime;

/// Who speaks. In JSON: the role's name; names other than the four usual ones are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Role {
    /// Instructions that precede the conversation.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
    /// A tool's answer to the model's call.
    Tool,
    /// A role that only some templates know, such as `developer`.
    Other(String),
}

impl Role {
    /// The name as templates see it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for Role {
    fn from(name: &str) -> Self {
        match name {
            "system" => Self::System,
            "user" => Self::User,
            "assistant" => Self::Assistant,
            "tool" => Self::Tool,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl From<String> for Role {
    fn from(name: String) -> Self {
        Self::from(name.as_str())
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.as_str().to_owned()
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One turn of a conversation. In JSON as the OpenAI API has it; [`messages_from_json`] reads it.
///
/// [`messages_from_json`]: crate::messages_from_json
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said; the texts of all parts where it came in parts.
    pub content: String,
    /// The parts that it came in, for templates that go through them: objects with `type` and `text`.
    pub parts: Option<Vec<Value>>,
    /// Bytes of `content` that are special tokens of the model's own making, in order: whoever has a model's reply
    /// knows them, and nothing that is read from outside has any. All else that spells a special token is text.
    pub special_tokens: Vec<Range<usize>>,
    /// Further fields that a template may read, such as `tool_calls` or `name`.
    pub extra: Map<String, Value>,
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2 + self.extra.len()))?;
        map.serialize_entry("role", &self.role)?;
        match &self.parts {
            Some(parts) => map.serialize_entry("content", parts)?,
            None => map.serialize_entry("content", &self.content)?,
        }
        for (name, value) in &self.extra {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Message {
    /// A turn of any role.
    #[must_use]
    pub fn new(role: impl Into<Role>, content: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            content: content.into(),
            parts: None,
            special_tokens: Vec::new(),
            extra: Map::new(),
        }
    }

    /// A system prompt.
    #[must_use]
    pub fn system(content: impl Into<String>) -> Self {
        Self::new(Role::System, content)
    }

    /// A turn of the person.
    #[must_use]
    pub fn user(content: impl Into<String>) -> Self {
        Self::new(Role::User, content)
    }

    /// A turn of the model.
    #[must_use]
    pub fn assistant(content: impl Into<String>) -> Self {
        Self::new(Role::Assistant, content)
    }

    /// A tool's answer.
    #[must_use]
    pub fn tool(content: impl Into<String>) -> Self {
        Self::new(Role::Tool, content)
    }
}

/// What a chat template is given.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChatInput<'a> {
    /// The conversation, oldest first.
    pub messages: &'a [Message],
    /// Tool definitions as JSON schemas; none at all is `None` to the template, as in transformers.
    pub tools: &'a [Value],
    /// Whether the prompt ends with the opening of the model's next turn.
    pub add_generation_prompt: bool,
    /// The time that `strftime_now` sees. `None` is this machine's local time, or the page's in a browser.
    pub now: Option<LocalTime>,
    /// Further variables for the template, such as `enable_thinking`; they go before the special tokens.
    pub variables: Option<&'a Map<String, Value>>,
}

impl<'a> ChatInput<'a> {
    /// A prompt for the model's answer to these messages.
    #[must_use]
    pub fn prompt(messages: &'a [Message]) -> Self {
        Self { messages, add_generation_prompt: true, ..Self::default() }
    }
}
