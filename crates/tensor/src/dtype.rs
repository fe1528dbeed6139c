//! Element types of tensors, quantised ones included.

use std::fmt;

use crate::int4;
use crate::shape::Shape;

/// How the elements of a tensor are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DType {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary16.
    F16,
    /// The upper half of binary32.
    BF16,
    /// Unsigned 32-bit integers: token ids and counts.
    U32,
    /// 8-bit floats (4 exponent bits, 3 mantissa bits, no infinity) with one f32 scale a row.
    E4M3,
    /// Signed bytes with one f32 scale for each `group` of columns of a row; the last group may be shorter.
    Int8 {
        /// Columns that share a scale.
        group: usize,
    },
    /// Signed halves of bytes, see [`int4`], with one f32 scale for each `group` of columns of a row; the last group may be shorter.
    Int4 {
        /// Columns that share a scale.
        group: usize,
    },
}

impl DType {
    /// Columns that share an int8 scale, where nothing else is asked for.
    ///
    /// Measured in `benches/runs/`: smaller groups lower the error little and cost bytes.
    pub const INT8_GROUP: usize = 64;

    /// Columns that share an int4 scale, where nothing else is asked for: as in ggml's Q4_0.
    pub const INT4_GROUP: usize = 32;

    /// Bytes that a tensor of this shape takes, scales included.
    pub fn n_bytes(self, shape: Shape) -> usize {
        let n = shape.n_elements();
        match self {
            Self::F32 | Self::U32 => n * 4,
            Self::F16 | Self::BF16 => n * 2,
            Self::E4M3 => n + shape.n_rows() * 4,
            Self::Int8 { group } => n + shape.n_rows() * shape.n_columns().div_ceil(group) * 4,
            Self::Int4 { group } => {
                shape.n_rows()
                    * (int4::n_row_bytes(shape.n_columns()) + shape.n_columns().div_ceil(group) * 4)
            }
        }
    }

    /// Whether the elements are codes that need a scale.
    pub fn is_quantised(self) -> bool {
        matches!(self, Self::E4M3 | Self::Int8 { .. } | Self::Int4 { .. })
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::F32 => f.write_str("f32"),
            Self::F16 => f.write_str("f16"),
            Self::BF16 => f.write_str("bf16"),
            Self::U32 => f.write_str("u32"),
            Self::E4M3 => f.write_str("fp8 (E4M3)"),
            Self::Int8 { group } => write!(f, "int8 (groups of {group})"),
            Self::Int4 { group } => write!(f, "int4 (groups of {group})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_count_codes_and_scales() {
        let shape = Shape::matrix(3, 130);
        assert_eq!(DType::F32.n_bytes(shape), 1560);
        assert_eq!(DType::BF16.n_bytes(shape), 780);
        assert_eq!(DType::E4M3.n_bytes(shape), 390 + 12);
        assert_eq!(DType::Int8 { group: 64 }.n_bytes(shape), 390 + 3 * 3 * 4);
        assert_eq!(DType::Int4 { group: 32 }.n_bytes(Shape::matrix(3, 131)), 3 * 66 + 3 * 5 * 4);
    }
}
