//! Element types by the names that safetensors and GGUF files give them.

use std::fmt;

use hala_tensor::DType;

/// How a file stores the elements of a tensor: the list of the safetensors format, version 0.8, and blocks of GGUF files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(non_camel_case_types, reason = "the names are those of the file format, verbatim")]
pub enum FileDType {
    /// One byte a truth value.
    BOOL,
    /// 4-bit float (MX).
    F4,
    /// 6-bit float (MX), 2 exponent bits.
    F6_E2M3,
    /// 6-bit float (MX), 3 exponent bits.
    F6_E3M2,
    /// Unsigned byte.
    U8,
    /// Signed byte.
    I8,
    /// 8-bit float, 5 exponent bits.
    F8_E5M2,
    /// 8-bit float, 4 exponent bits, no infinity.
    F8_E4M3,
    /// 8-bit exponent (MX scales).
    F8_E8M0,
    /// 8-bit float, 4 exponent bits, no infinity and no negative zero.
    F8_E4M3FNUZ,
    /// 8-bit float, 5 exponent bits, no infinity and no negative zero.
    F8_E5M2FNUZ,
    /// Signed 16-bit integer.
    I16,
    /// Unsigned 16-bit integer.
    U16,
    /// IEEE 754 binary16.
    F16,
    /// The upper half of binary32.
    BF16,
    /// Signed 32-bit integer.
    I32,
    /// Unsigned 32-bit integer.
    U32,
    /// IEEE 754 binary32.
    F32,
    /// Two binary32.
    C64,
    /// IEEE 754 binary64.
    F64,
    /// Signed 64-bit integer.
    I64,
    /// Unsigned 64-bit integer.
    U64,
    /// GGUF: 32 numbers of 4 bits and their scale.
    Q4_0,
    /// GGUF: 32 bytes and their scale.
    Q8_0,
    /// GGUF: 32 numbers of 4 bits, their scale and their offset.
    Q4_1,
    /// GGUF: 32 numbers of 5 bits and their scale.
    Q5_0,
    /// GGUF: 32 numbers of 5 bits, their scale and their offset.
    Q5_1,
    /// GGUF: 256 numbers of 2 bits, with scales and offsets for each 16.
    Q2_K,
    /// GGUF: 256 numbers of 3 bits, with scales for each 16.
    Q3_K,
    /// GGUF: 256 numbers of 4 bits, with scales and offsets for each 32.
    Q4_K,
    /// GGUF: 256 numbers of 5 bits, with scales and offsets for each 32.
    Q5_K,
    /// GGUF: 256 numbers of 6 bits, with scales for each 16.
    Q6_K,
    /// GGUF: 32 codes of 16 numbers that lie closer around 0, and their scale.
    IQ4_NL,
    /// GGUF: 256 codes of those numbers, with scales for each 32.
    IQ4_XS,
}

/// How many of the types safetensors files have.
const N_SAFETENSORS: usize = 22;

/// Every type with its name in a file and its width in bits; blocks have no width.
const NAMES: [(FileDType, &str, u64); 34] = [
    (FileDType::BOOL, "BOOL", 8),
    (FileDType::F4, "F4", 4),
    (FileDType::F6_E2M3, "F6_E2M3", 6),
    (FileDType::F6_E3M2, "F6_E3M2", 6),
    (FileDType::U8, "U8", 8),
    (FileDType::I8, "I8", 8),
    (FileDType::F8_E5M2, "F8_E5M2", 8),
    (FileDType::F8_E4M3, "F8_E4M3", 8),
    (FileDType::F8_E8M0, "F8_E8M0", 8),
    (FileDType::F8_E4M3FNUZ, "F8_E4M3FNUZ", 8),
    (FileDType::F8_E5M2FNUZ, "F8_E5M2FNUZ", 8),
    (FileDType::I16, "I16", 16),
    (FileDType::U16, "U16", 16),
    (FileDType::F16, "F16", 16),
    (FileDType::BF16, "BF16", 16),
    (FileDType::I32, "I32", 32),
    (FileDType::U32, "U32", 32),
    (FileDType::F32, "F32", 32),
    (FileDType::C64, "C64", 64),
    (FileDType::F64, "F64", 64),
    (FileDType::I64, "I64", 64),
    (FileDType::U64, "U64", 64),
    (FileDType::Q4_0, "Q4_0", 0),
    (FileDType::Q8_0, "Q8_0", 0),
    (FileDType::Q4_1, "Q4_1", 0),
    (FileDType::Q5_0, "Q5_0", 0),
    (FileDType::Q5_1, "Q5_1", 0),
    (FileDType::Q2_K, "Q2_K", 0),
    (FileDType::Q3_K, "Q3_K", 0),
    (FileDType::Q4_K, "Q4_K", 0),
    (FileDType::Q5_K, "Q5_K", 0),
    (FileDType::Q6_K, "Q6_K", 0),
    (FileDType::IQ4_NL, "IQ4_NL", 0),
    (FileDType::IQ4_XS, "IQ4_XS", 0),
];

/// The types that GGUF files have here, by ggml's numbers for them.
#[cfg(not(target_family = "wasm"))]
const GGML: [(u32, FileDType); 15] = [
    (0, FileDType::F32),
    (1, FileDType::F16),
    (2, FileDType::Q4_0),
    (3, FileDType::Q4_1),
    (6, FileDType::Q5_0),
    (7, FileDType::Q5_1),
    (8, FileDType::Q8_0),
    (10, FileDType::Q2_K),
    (11, FileDType::Q3_K),
    (12, FileDType::Q4_K),
    (13, FileDType::Q5_K),
    (14, FileDType::Q6_K),
    (20, FileDType::IQ4_NL),
    (23, FileDType::IQ4_XS),
    (30, FileDType::BF16),
];

impl FileDType {
    /// The type of this name, as written in a safetensors file's header.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES[..N_SAFETENSORS].iter().find(|(_, n, _)| *n == name).map(|(dtype, ..)| *dtype)
    }

    /// The name in a file's header.
    pub fn name(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// The type of this number in a GGUF file, for those that are read.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn from_ggml(id: u32) -> Option<Self> {
        GGML.iter().find(|(number, _)| *number == id).map(|(_, dtype)| *dtype)
    }

    /// Names of the types that GGUF files may have here, for messages.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn ggml_names() -> String {
        GGML.map(|(_, dtype)| dtype.name()).join(", ")
    }

    /// The number in a GGUF file, for the types that such files may have here.
    #[cfg(not(target_family = "wasm"))]
    pub fn ggml_id(self) -> Option<u32> {
        GGML.iter().find(|(_, dtype)| *dtype == self).map(|(number, _)| *number)
    }

    /// Elements and bytes of a block, for the types of GGUF; other elements are by themselves.
    #[cfg(not(target_family = "wasm"))]
    pub fn block(self) -> (usize, usize) {
        match self {
            Self::Q4_0 => (32, 18),
            Self::Q8_0 => (32, 34),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q2_K => (256, 84),
            Self::Q3_K => (256, 110),
            Self::Q4_K => (256, 144),
            Self::Q5_K => (256, 176),
            Self::Q6_K => (256, 210),
            Self::IQ4_NL => (32, 18),
            Self::IQ4_XS => (256, 136),
            _ => (1, self.n_bits() as usize / 8),
        }
    }

    /// Whether elements are in blocks with their scales, as in GGUF files.
    pub fn is_blocks(self) -> bool {
        self as usize >= N_SAFETENSORS
    }

    /// Bits that one element takes; 0 for those in blocks.
    pub fn n_bits(self) -> u64 {
        NAMES[self as usize].2
    }

    /// The element type in memory that holds these elements exactly, for the float types that are read.
    pub fn as_float(self) -> Option<DType> {
        match self {
            Self::F32 => Some(DType::F32),
            Self::F16 => Some(DType::F16),
            Self::BF16 => Some(DType::BF16),
            _ => None,
        }
    }
}

impl fmt::Display for FileDType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_stands_at_its_own_place_in_the_table() {
        for (i, (dtype, name, _)) in NAMES.iter().enumerate() {
            assert_eq!(*dtype as usize, i);
            assert_eq!(FileDType::from_name(name), Some(*dtype).filter(|dtype| !dtype.is_blocks()));
            assert_eq!(dtype.name(), *name);
        }
        assert_eq!(FileDType::from_name("F128"), None);
    }
}
