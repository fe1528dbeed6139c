//! Settings that are one of several words.

use std::path::PathBuf;

use hala_tensor::DType;
use serde::{Deserialize, Serialize};

/// What a run begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// A checkpoint: a folder, a file, or a Hub id.
    Model(String),
    /// Weights at random.
    FromScratch {
        /// A config.json; `vocab_size` and the ids of special tokens are the tokenizer's where it has none.
        config: PathBuf,
        /// A folder with a tokenizer.json and what belongs to it.
        tokenizer: PathBuf,
    },
}

/// How matrices are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Products {
    /// In f32.
    #[default]
    F32,
    /// Inputs rounded to bf16, sums in f32: faster where the machine has instructions for it.
    Bf16,
}

/// The element type of checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SavedAs {
    /// As models are published.
    #[default]
    Bf16,
    /// All bits of the values.
    F32,
}

impl SavedAs {
    /// The type.
    #[must_use]
    pub fn dtype(self) -> DType {
        match self {
            Self::Bf16 => DType::BF16,
            Self::F32 => DType::F32,
        }
    }

    /// Bytes of a value.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Bf16 => 2,
            Self::F32 => 4,
        }
    }

    /// The name that config.json has for it.
    #[must_use]
    pub fn torch_name(self) -> &'static str {
        match self {
            Self::Bf16 => "bfloat16",
            Self::F32 => "float32",
        }
    }
}
