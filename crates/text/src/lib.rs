//! Text to token ids and back: tokenizers, chat templates, languages and sentences.

mod abbreviations;
pub mod chat;
mod clock;
mod config;
mod error;
pub mod language;
pub mod layout;
pub mod normalise;
pub mod sentences;
pub mod stream;
mod template;
pub mod tokenizer;

pub use chat::{ChatInput, Message, Role};
pub use clock::LocalTime;
pub use error::TextError;
pub use language::Language;
pub use stream::StreamDecoder;
pub use template::{ChatTemplate, RESERVED_VARIABLES, TemplateSources};
pub use tokenizer::{Bos, Specials, TokenPiece, Tokenizer, TokenizerFiles};
