//! Arithmetic as torch does it in a tensor's own type: computed in f32, rounded after each operation.

use hala_tensor::DType;
use hala_weights::FileDType;
use half::{bf16, f16};

/// A type of floats.
pub(crate) trait Float {
    /// The distance from 1 to the next larger number.
    const EPSILON: f32;

    /// The nearest number of the type, ties to even.
    fn round(x: f32) -> f32;

    /// The bytes of a number of the type, appended.
    fn write(x: f32, out: &mut Vec<u8>);
}

/// [`DType::BF16`]
pub(crate) struct Brain;

/// [`DType::F16`]
pub(crate) struct Half;

/// [`DType::F32`]
pub(crate) struct Single;

impl Float for Brain {
    const EPSILON: f32 = 0.007_812_5;

    #[inline(always)]
    fn round(x: f32) -> f32 {
        // No branch for NaN, so that loops are vectorised; values are finite here, and what overflows becomes infinite.
        let bits = x.to_bits();
        f32::from_bits(bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) & 0xffff_0000)
    }

    fn write(x: f32, out: &mut Vec<u8>) {
        out.extend(bf16::from_f32(x).to_le_bytes());
    }
}

impl Float for Half {
    const EPSILON: f32 = 0.000_976_562_5;

    #[inline(always)]
    fn round(x: f32) -> f32 {
        f16::from_f32(x).to_f32()
    }

    fn write(x: f32, out: &mut Vec<u8>) {
        out.extend(f16::from_f32(x).to_le_bytes());
    }
}

impl Float for Single {
    const EPSILON: f32 = f32::EPSILON;

    #[inline(always)]
    fn round(x: f32) -> f32 {
        x
    }

    fn write(x: f32, out: &mut Vec<u8>) {
        out.extend(x.to_le_bytes());
    }
}

/// Evaluates an expression with `$float` bound to the type of a tensor of floats.
macro_rules! with_float {
    ($dtype:expr, $float:ident => $run:expr) => {
        match $dtype {
            hala_tensor::DType::BF16 => {
                type $float = $crate::float::Brain;
                $run
            }
            hala_tensor::DType::F16 => {
                type $float = $crate::float::Half;
                $run
            }
            hala_tensor::DType::F32
            | hala_tensor::DType::U32
            | hala_tensor::DType::E4M3
            | hala_tensor::DType::Int8 { .. }
            | hala_tensor::DType::Int4 { .. } => {
                type $float = $crate::float::Single;
                $run
            }
        }
    };
}
pub(crate) use with_float;

/// The file's type of floats in memory.
pub(crate) fn file_dtype(dtype: DType) -> FileDType {
    match dtype {
        DType::BF16 => FileDType::BF16,
        DType::F16 => FileDType::F16,
        DType::F32 | DType::U32 | DType::E4M3 | DType::Int8 { .. } | DType::Int4 { .. } => FileDType::F32,
    }
}

/// torch's name of a type of floats, as config.json and merges have it.
pub(crate) fn torch_name(dtype: DType) -> &'static str {
    match dtype {
        DType::BF16 => "bfloat16",
        DType::F16 => "float16",
        DType::F32 | DType::U32 | DType::E4M3 | DType::Int8 { .. } | DType::Int4 { .. } => "float32",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bf16_rounds_as_the_crate_half_does() {
        let mut bits = 1u32;
        for _ in 0..100_000 {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let x = f32::from_bits(bits);
            if x.is_finite() {
                assert_eq!(Brain::round(x), bf16::from_f32(x).to_f32(), "{x:e}");
            }
        }
    }
}
