//! How near a backend's results must come to the plain CPU's, op by op, with the reason for each size.
//!
//! An error is measured against the root mean square of its row. Tests whose data are scaled so that rows have a magnitude of about 1 measure
//! it against 1 where that is more, so that a sum which happens to cancel is not held to its own tiny size.

use hala_tensor::DType;

use crate::buffer::{Buffer, BufferId};

/// The largest errors allowed, relative to the magnitude of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Of any single element.
    pub max: f32,
    /// Root mean square over the whole buffer: errors of one in a thousand elements pass here, small ones everywhere
    /// do not.
    pub rms: f32,
}

/// The mean error of few elements scatters: of n of them it may be `1 + FEW / √n` times that of many.
const FEW: f64 = 2.0;

impl Tolerance {
    /// The one that allows more.
    pub fn wider(self, other: Self) -> Self {
        Self { max: self.max.max(other.max), rms: self.rms.max(other.rms) }
    }

    /// What the root mean square of `n_elements` errors may be at most.
    pub fn rms_limit(self, n_elements: usize) -> f64 {
        f64::from(self.rms) * (1.0 + FEW / (n_elements.max(1) as f64).sqrt())
    }
}

/// No error: values are moved or multiplied once, which every backend rounds alike.
pub const EXACT: Tolerance = Tolerance { max: 0.0, rms: 0.0 };

/// Sums in f32 in any order: about √n roundings of 6e-8 for up to n ≈ 1000 terms is 2e-6, with four times that for the worst
/// of thousands of elements, and twice again for a gate on top.
pub const F32_SUMS: Tolerance = Tolerance { max: 2e-5, rms: 2e-6 };

/// Exponentials and tanh: the absolute error of what they are of, up to a hundred, is their relative one, 1e-5 in f32, and devices' own
/// are a few times coarser.
pub const F32_EXP: Tolerance = Tolerance { max: 1e-4, rms: 1e-5 };

/// Products with int8 or int4 weights, where a backend may round activations to 16 bits: a step of max/32767 in a group gives each
/// input an error of 2e-5 of the group's deviation, and the worst of thousands of sums is 4.5 times that.
pub const INT8_PRODUCT: Tolerance = Tolerance { max: 3e-4, rms: 6e-5 };

/// As [`INT8_PRODUCT`], where one input of a row is a hundred times the others, and its group's step with it.
pub const INT8_OUTLIER: Tolerance = Tolerance { max: 1e-3, rms: 3e-4 };

/// Products of two or three int8 products, as gates make: relative errors add up, and the largest elements are
/// several times the row's magnitude.
pub const INT8_GATED: Tolerance = Tolerance { max: 2e-3, rms: 2e-4 };

/// One cell of an f16 cache: where the value lies between two cells, the last bit of the f32 decides, and a cell of 2…4 is
/// 2⁻⁹ wide. Rarely more than a few of a buffer's cells flip.
pub const F16_CELL: Tolerance = Tolerance { max: 4e-3, rms: 2e-4 };

/// Attention over an f16 cache: a flipped cell of a key shifts one score by up to 2e-3, a flipped cell of a value the
/// result by up to 4e-3 of its weight.
pub const F16_ATTENTION: Tolerance = Tolerance { max: 4e-3, rms: 3e-4 };

/// Inputs rounded to codes: where a value lies between two of them, the last bit of its quotient decides. One in thousands of elements may be a
/// step off, which of E4M3 is an eighth of it.
pub const ROUNDED_STEP: Tolerance = Tolerance { max: 0.5, rms: 5e-3 };

/// Whether codes are whole numbers, with which a backend may multiply rounded activations.
fn is_whole(dtype: DType) -> bool {
    matches!(dtype, DType::Int8 { .. } | DType::Int4 { .. })
}

/// A product with weights of this type.
pub fn product(dtype: DType) -> Tolerance {
    if is_whole(dtype) { INT8_PRODUCT } else { F32_SUMS }
}

/// A product with weights of this type in a model, whose inputs may have outliers.
pub fn product_in_model(dtype: DType) -> Tolerance {
    if is_whole(dtype) { INT8_OUTLIER } else { F32_SUMS }
}

/// A product of products with weights of this type.
pub fn gated(dtype: DType) -> Tolerance {
    if is_whole(dtype) { INT8_GATED } else { F32_SUMS }
}

/// A cache of this type.
pub fn cache(dtype: DType) -> Tolerance {
    if dtype == DType::F16 { F16_CELL } else { F32_SUMS }
}

/// Attention over a cache of this type.
pub fn attention(dtype: DType) -> Tolerance {
    if dtype == DType::F16 { F16_ATTENTION } else { F32_SUMS }
}

/// The tolerance of products with these matrices, whose element types each tell one.
pub(crate) fn of_matrices(
    matrices: &[BufferId],
    buffers: &[Buffer],
    of: fn(DType) -> Tolerance,
) -> Tolerance {
    matrices.iter().map(|id| of(buffers[id.0 as usize].dtype)).fold(F32_SUMS, Tolerance::wider)
}
