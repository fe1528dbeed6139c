//! Text to token ids and back: tokenizers, chat templates, languages and sentences.

mod abbreviations;
pub mod chat;
mod clock;
mod config;
mod error;
mod json_filter;
pub mod language;
pub mod layout;
pub mod normalise;
pub mod sentences;
pub mod stream;
mod template;
mod template_source;
pub mod tokenizer;

pub use chat::{ChatInput, Message, Role};
pub use clock::LocalTime;
pub use error::TextError;
pub use language::Language;
pub use stream::StreamDecoder;
pub use template::{ChatTemplate, TemplateSources};
pub use tokenizer::{Bos, Specials, TokenPiece, Tokenizer, TokenizerFiles};
