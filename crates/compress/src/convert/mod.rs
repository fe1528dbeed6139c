//! Converting between folders in Hugging Face layout and GGUF files.

mod format;
mod metadata;
mod rows;
mod to_folder;
mod to_gguf;
mod vocabulary;

pub use format::FloatFormat;
pub use to_folder::to_folder;
pub use to_gguf::to_gguf;
