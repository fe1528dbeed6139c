//! Chat messages and what a chat template is given besides them.

use serde::{Deserialize, Serialize};
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

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    #[serde(default)]
    pub content: String,
    /// Further fields that a template may read, such as `tool_calls` or `name`.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Message {
    /// A turn of any role.
    #[must_use]
    pub fn new(role: impl Into<Role>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into(), extra: Map::new() }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_unknown_fields_and_roles() {
        let text = r#"{"role":"developer","content":"hi","name":"x","tool_calls":[{"id":1}]}"#;
        let message: Message = serde_json::from_str(text).unwrap();
        assert_eq!(message.role.as_str(), "developer");
        assert_eq!(message.extra.len(), 2);
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
    }

    #[test]
    fn a_plain_message_is_role_and_content() {
        let text = r#"{"role":"user","content":"صباح الخير"}"#;
        let message: Message = serde_json::from_str(text).unwrap();
        assert_eq!(message, Message::user("صباح الخير"));
        assert_eq!(serde_json::to_string(&message).unwrap(), text);
    }
}
