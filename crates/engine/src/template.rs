//! What a chat template is given besides messages and tools.

use std::sync::Arc;

use hala_text::{ChatInput, ChatTemplate, LocalTime, Message, TextError, Tokenizer};
use serde_json::{Map, Value};

/// Which template writes the prompts of a conversation, and what it is told.
#[derive(Debug, Clone, Default)]
pub struct TemplateOptions {
    /// A template in place of the checkpoint's; [`Tokenizer::template_of`] makes one.
    pub template: Option<Arc<ChatTemplate>>,
    /// Variables for the template, such as `enable_thinking`. Names that are the chat's own are refused
    /// ([`hala_text::RESERVED_VARIABLES`]).
    pub variables: Map<String, Value>,
    /// The time that `strftime_now` writes; `None` is this machine's.
    pub now: Option<LocalTime>,
}

impl TemplateOptions {
    /// The template: this one, or the checkpoint's.
    ///
    /// # Errors
    /// A checkpoint without a template, where there is none here.
    pub fn template<'a>(&'a self, tokenizer: &'a Tokenizer) -> Result<&'a ChatTemplate, TextError> {
        self.template.as_deref().map_or_else(|| tokenizer.chat_template(), Ok)
    }

    /// What the template is given for a reply to these messages.
    pub fn input<'a>(&'a self, messages: &'a [Message], tools: &'a [Value]) -> ChatInput<'a> {
        ChatInput { tools, now: self.now, variables: Some(&self.variables), ..ChatInput::prompt(messages) }
    }
}
