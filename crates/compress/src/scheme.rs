//! The ways to compress a matrix, as compressed-tensors names and stores them.

use std::fmt;
use std::str::FromStr;

use hala_tensor::{DType, Rounded, Shape};
use hala_weights::{FileDType, INPUT_SCALE, PACKED_SUFFIX, SCALE_SUFFIX, SHAPE_SUFFIX};
use serde_json::{Value, json};

use crate::float::file_dtype;

/// How the matrices of some modules are stored, and how an engine is to quantise their inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// E4M3, one scale a row; inputs E4M3, one scale a token.
    Fp8Dynamic,
    /// E4M3, one scale a matrix; inputs E4M3, by a scale that calibration finds.
    Fp8Static,
    /// E4M3, one scale for each block of 128 by 128; inputs E4M3, one scale for each 128 columns of a token.
    Fp8Block,
    /// int8, one scale a row; inputs int8, one scale a token.
    Int8,
    /// int8 packed into words, one scale for each group of columns; inputs are floats.
    Int8Weights {
        /// Columns that share a scale; `None` for whole rows.
        group: Option<usize>,
    },
    /// int4 packed into words, one scale for each group of columns; inputs are floats.
    Int4Weights {
        /// Columns that share a scale; `None` for whole rows.
        group: Option<usize>,
    },
}

/// Rows and columns of a block of [`Scheme::Fp8Block`].
const FP8_BLOCK: usize = 128;

/// The numbers that codes stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    E4M3,
    Int8,
    /// Signed numbers of so many bits, stored as unsigned ones in words.
    Packed(u32),
}

impl Code {
    /// The least and the largest code.
    pub(crate) fn range(self) -> (f32, f32) {
        match self {
            Self::E4M3 => (-448.0, 448.0),
            Self::Int8 => (-128.0, 127.0),
            Self::Packed(n_bits) => {
                let half = (1 << (n_bits - 1)) as f32;
                (-half, half - 1.0)
            }
        }
    }

    /// What the largest magnitude of a block is divided by to get its scale: half of the range.
    pub(crate) fn half_range(self) -> f32 {
        match self {
            Self::E4M3 => Rounded::E4M3.half_range(),
            Self::Int8 => Rounded::Int8.half_range(),
            Self::Packed(n_bits) => ((1 << n_bits) - 1) as f32 / 2.0,
        }
    }
}

/// Rows and columns that share a scale; `None` stands for all.
pub(crate) type Block = [Option<usize>; 2];

impl Scheme {
    /// Columns of a group where none is asked for.
    pub const GROUP: usize = 128;

    /// The names that users give.
    pub const NAMES: [&str; 6] =
        ["fp8-dynamic", "fp8-static", "fp8-block", "int8", "int8-w8a16", "int4-w4a16"];

    /// The name that users give.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fp8Dynamic => "fp8-dynamic",
            Self::Fp8Static => "fp8-static",
            Self::Fp8Block => "fp8-block",
            Self::Int8 => "int8",
            Self::Int8Weights { .. } => "int8-w8a16",
            Self::Int4Weights { .. } => "int4-w4a16",
        }
    }

    /// The same with groups of so many columns; `None` where the scheme has no groups.
    pub fn with_group(self, group: usize) -> Option<Self> {
        match self {
            Self::Int8Weights { .. } => Some(Self::Int8Weights { group: Some(group) }),
            Self::Int4Weights { .. } => Some(Self::Int4Weights { group: Some(group) }),
            Self::Fp8Dynamic | Self::Fp8Static | Self::Fp8Block | Self::Int8 => None,
        }
    }

    /// Whether inputs become int8, so that smoothing helps them.
    pub(crate) fn is_smoothed(self) -> bool {
        self == Self::Int8
    }

    /// Whether codes are whole numbers, which GPTQ finds.
    pub(crate) fn is_whole(self) -> bool {
        self.code() != Code::E4M3
    }

    /// Whether inputs have a scale that calibration finds.
    pub(crate) fn is_static(self) -> bool {
        self == Self::Fp8Static
    }

    pub(crate) fn code(self) -> Code {
        match self {
            Self::Fp8Dynamic | Self::Fp8Static | Self::Fp8Block => Code::E4M3,
            Self::Int8 => Code::Int8,
            Self::Int8Weights { .. } => Code::Packed(8),
            Self::Int4Weights { .. } => Code::Packed(4),
        }
    }

    pub(crate) fn block(self) -> Block {
        match self {
            Self::Fp8Dynamic | Self::Int8 => [Some(1), None],
            Self::Fp8Static => [None; 2],
            Self::Fp8Block => [Some(FP8_BLOCK); 2],
            Self::Int8Weights { group } | Self::Int4Weights { group } => [Some(1), group],
        }
    }

    /// The tensors that a weight `name` of floats becomes: codes, scales, and for packed codes the shape.
    pub(crate) fn tensors(
        self,
        name: &str,
        shape: Shape,
        dtype: DType,
    ) -> Vec<(String, FileDType, Vec<usize>)> {
        let (n_rows, n_columns) = (shape.n_rows(), shape.n_columns());
        let [rows, columns] = self.block().map(|n| n.unwrap_or(usize::MAX));
        let scales = match self.block() {
            [None, None] => vec![1],
            _ => vec![n_rows.div_ceil(rows), n_columns.div_ceil(columns)],
        };
        let scales = (format!("{name}{SCALE_SUFFIX}"), file_dtype(dtype), scales);
        match self.code() {
            Code::E4M3 if self.is_static() => {
                let input = (input_scale(name), file_dtype(dtype), vec![1]);
                vec![(name.to_owned(), FileDType::F8_E4M3, vec![n_rows, n_columns]), scales, input]
            }
            Code::E4M3 => vec![(name.to_owned(), FileDType::F8_E4M3, vec![n_rows, n_columns]), scales],
            Code::Int8 => vec![(name.to_owned(), FileDType::I8, vec![n_rows, n_columns]), scales],
            Code::Packed(n_bits) => {
                let n_words = (n_columns * n_bits as usize).div_ceil(32);
                vec![
                    (format!("{name}{PACKED_SUFFIX}"), FileDType::I32, vec![n_rows, n_words]),
                    scales,
                    (format!("{name}{SHAPE_SUFFIX}"), FileDType::I64, vec![2]),
                ]
            }
        }
    }

    /// What config.json calls the way of storing.
    pub(crate) fn format(self) -> &'static str {
        match self.code() {
            Code::E4M3 => "float-quantized",
            Code::Int8 => "int-quantized",
            Code::Packed(_) => "pack-quantized",
        }
    }

    /// The entry of `config_groups` for some targets, in keys that old and new loaders accept.
    pub(crate) fn config_group(self, targets: &[String]) -> Value {
        let (kind, n_bits) = match self.code() {
            Code::E4M3 => ("float", 8),
            Code::Int8 => ("int", 8),
            Code::Packed(n_bits) => ("int", n_bits),
        };
        let (strategy, group, structure) = match self.block() {
            [Some(1), None] => ("channel", Value::Null, Value::Null),
            [Some(1), Some(group)] => ("group", json!(group), Value::Null),
            [None, None] => ("tensor", Value::Null, Value::Null),
            block => ("block", Value::Null, json!(block)),
        };
        let inputs = match self {
            Self::Fp8Dynamic | Self::Int8 => args(kind, n_bits, "token", (Value::Null, Value::Null), true),
            Self::Fp8Static => args(kind, n_bits, "tensor", (Value::Null, Value::Null), false),
            Self::Fp8Block => args(kind, n_bits, "group", (json!(FP8_BLOCK), Value::Null), true),
            Self::Int8Weights { .. } | Self::Int4Weights { .. } => Value::Null,
        };
        json!({
            "targets": targets,
            "weights": args(kind, n_bits, strategy, (group, structure), false),
            "input_activations": inputs,
            "output_activations": null,
        })
    }
}

/// The name of the scale of a weight's inputs.
pub(crate) fn input_scale(weight: &str) -> String {
    format!("{}{INPUT_SCALE}", weight.trim_end_matches(".weight"))
}

fn args(
    kind: &str,
    n_bits: u32,
    strategy: &str,
    (group, structure): (Value, Value),
    is_dynamic: bool,
) -> Value {
    json!({
        "num_bits": n_bits, "type": kind, "symmetric": true, "group_size": group, "strategy": strategy,
        "block_structure": structure, "dynamic": is_dynamic, "actorder": null,
        "observer": if is_dynamic { Value::Null } else { json!("minmax") }, "observer_kwargs": {},
    })
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.block() {
            [Some(1), Some(group)] => write!(f, "{} in groups of {group}", self.name()),
            _ => f.write_str(self.name()),
        }
    }
}

impl FromStr for Scheme {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let group = Some(Self::GROUP);
        match name {
            "fp8-dynamic" => Ok(Self::Fp8Dynamic),
            "fp8-static" => Ok(Self::Fp8Static),
            "fp8-block" => Ok(Self::Fp8Block),
            "int8" => Ok(Self::Int8),
            "int8-w8a16" => Ok(Self::Int8Weights { group: None }),
            "int4-w4a16" => Ok(Self::Int4Weights { group }),
            _ => Err(format!("{name:?} is no scheme; there are: {}", Self::NAMES.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_scheme_of_that_name() {
        for name in Scheme::NAMES {
            assert_eq!(name.parse::<Scheme>().unwrap().name(), name);
        }
        assert!("fp4".parse::<Scheme>().unwrap_err().contains("int4-w4a16"));
    }
}
