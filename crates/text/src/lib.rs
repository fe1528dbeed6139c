//! Text to token ids and back: tokenizers, chat templates, languages and sentences.

mod abbreviations;
mod changes;
pub mod chat;
mod clock;
mod config;
mod error;
pub mod language;
pub mod layout;
mod message_form;
mod message_json;
pub mod normalise;
mod plain;
mod prompt;
mod provenance;
pub mod sentences;
pub mod stream;
mod template;
mod template_words;
pub mod tokenizer;

pub use chat::{ChatInput, Message, Role};
pub use clock::LocalTime;
pub use error::TextError;
pub use language::Language;
pub use message_json::{deserialize_messages, messages_from_json};
pub use stream::StreamDecoder;
pub use template::{ChatTemplate, RESERVED_VARIABLES, TemplateSources};
pub use tokenizer::{Bos, Specials, TokenPiece, Tokenizer, TokenizerFiles};
