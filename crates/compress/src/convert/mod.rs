//! Converting between folders in Hugging Face layout and GGUF files.

mod metadata;
mod rows;
mod to_folder;
mod to_gguf;
mod vocabulary;

use std::str::FromStr;

use hala_tensor::DType;

pub use to_folder::to_folder;
pub use to_gguf::to_gguf;

/// How matrices are stored; norms and taps are f32 in GGUF files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloatFormat {
    /// [`DType::F32`]
    F32,
    /// [`DType::F16`]
    F16,
    /// [`DType::BF16`]
    BF16,
    /// Blocks of 32 signed bytes with a scale in f16; GGUF files alone have them.
    Q8_0,
}

impl FloatFormat {
    /// The names that users give.
    pub const NAMES: [&str; 4] = ["f32", "f16", "bf16", "q8_0"];

    /// The type in memory; `None` for blocks.
    pub(crate) fn dtype(self) -> Option<DType> {
        match self {
            Self::F32 => Some(DType::F32),
            Self::F16 => Some(DType::F16),
            Self::BF16 => Some(DType::BF16),
            Self::Q8_0 => None,
        }
    }
}

impl FromStr for FloatFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            "bf16" => Ok(Self::BF16),
            "q8_0" => Ok(Self::Q8_0),
            _ => Err(format!("{name:?} is no format; there are: {}", Self::NAMES.join(", "))),
        }
    }
}
