//! How a converted checkpoint stores matrices.

use std::str::FromStr;

use hala_tensor::DType;
use hala_weights::FileDType;

use crate::float::file_dtype;

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

/// Every format with the name that users give.
const NAMES: [(FloatFormat, &str); 4] = [
    (FloatFormat::F32, "f32"),
    (FloatFormat::F16, "f16"),
    (FloatFormat::BF16, "bf16"),
    (FloatFormat::Q8_0, "q8_0"),
];

impl FloatFormat {
    /// The names that users give.
    pub const NAMES: [&str; 4] = [NAMES[0].1, NAMES[1].1, NAMES[2].1, NAMES[3].1];

    /// The name that users give.
    pub(crate) fn name(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// The type in memory; `None` for blocks.
    pub(crate) fn dtype(self) -> Option<DType> {
        match self {
            Self::F32 => Some(DType::F32),
            Self::F16 => Some(DType::F16),
            Self::BF16 => Some(DType::BF16),
            Self::Q8_0 => None,
        }
    }

    /// The type in a file.
    pub(crate) fn file_dtype(self) -> FileDType {
        self.dtype().map_or(FileDType::Q8_0, file_dtype)
    }
}

impl FromStr for FloatFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = NAMES.into_iter().find(|(_, known)| *known == name).map(|(format, _)| format);
        found.ok_or_else(|| format!("{name:?} is no format; there are: {}", Self::NAMES.join(", ")))
    }
}
