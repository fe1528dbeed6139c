//! Text to token ids and back: tokenizers, chat templates, languages and sentences.

mod abbreviations;
mod changes;
pub mod chat;
mod clock;
mod config;
pub mod detection;
mod english;
mod error;
pub mod fold;
pub mod language;
pub mod layout;
mod message_form;
mod message_json;
pub mod normalise;
pub mod other_language;
mod plain;
mod prompt;
mod prose;
mod provenance;
mod script;
pub mod sentences;
pub mod stream;
mod template;
mod template_words;
pub mod tokenizer;
pub mod treatment;

pub use chat::{ChatInput, Message, Role};
pub use clock::LocalTime;
pub use error::TextError;
pub use language::Language;
pub use message_json::{deserialize_messages, messages_from_json};
pub use other_language::OtherLanguage;
pub use stream::StreamDecoder;
pub use template::{ChatTemplate, RESERVED_VARIABLES, TemplateSources};
pub use tokenizer::{Bos, Specials, TokenPiece, Tokenizer, TokenizerFiles};
pub use treatment::{CopyReason, Treatment};
