//! Tokenizers made of a set of files: byte-level BPE, in files that Hala and transformers load.

mod options;
mod texts;
mod trained;
mod words;

pub use options::{Digits, TokenizerOptions};
pub use trained::{TokenizerTraining, TrainedTokenizer};
