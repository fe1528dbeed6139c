//! One row as it is read: a conversation with the weight of each message, or a plain text.

use hala_text::{Message, Role};
use serde_json::Value;

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// A conversation.
    Chat(ChatRow),
    /// A text that is learnt from its beginning to its end.
    Text(String),
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatRow {
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// For each message how much its labels count; 0 is not at all, and it is 0 for all but the assistant's.
    pub weights: Vec<f32>,
    /// Tool definitions as JSON schemas.
    pub tools: Vec<Value>,
}

impl ChatRow {
    /// A conversation whose replies count as the assistant's do.
    pub(crate) fn new(messages: Vec<Message>) -> Self {
        let weight = |message: &Message| if message.role == Role::Assistant { 1.0 } else { 0.0 };
        Self { weights: messages.iter().map(weight).collect(), messages, tools: Vec::new() }
    }
}
