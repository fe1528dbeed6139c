//! What can go wrong with a tensor's shape or values.

use crate::counted::counted;
use crate::dtype::DType;
use crate::shape::{Shape, ShapeError};

/// An error of this crate; each names what was found and what was expected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TensorError {
    /// Dimensions that are no shape.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// Values do not fill the shape.
    #[error("{} where the shape {shape} needs {expected}", counted(*found as u64, "element"))]
    Elements {
        /// Elements found.
        found: usize,
        /// Elements that the shape needs.
        expected: usize,
        /// The shape.
        shape: Shape,
    },
    /// A row has another length than the tensor's rows.
    #[error("a row of {} where the shape {shape} needs {expected}", counted(*found as u64, "element"))]
    Row {
        /// Elements found.
        found: usize,
        /// Elements in a row of this shape.
        expected: usize,
        /// The shape.
        shape: Shape,
    },
    /// A value that no weight may have.
    #[error(
        "row {row} holds {value}, which is not a finite number in the element type: the checkpoint is damaged or needs a wider one"
    )]
    NotFinite {
        /// Row of the value.
        row: usize,
        /// The value.
        value: f32,
    },
    /// A code that stands for no number.
    #[error("row {row} holds the E4M3 code {code:#04x}, which is NaN: the checkpoint is damaged")]
    NanCode {
        /// Row of the code.
        row: usize,
        /// The code.
        code: u8,
    },
    /// The element type cannot hold this tensor.
    #[error("{dtype} holds matrices only, and this tensor has the shape {shape}")]
    NotAMatrix {
        /// The element type asked for.
        dtype: DType,
        /// The shape.
        shape: Shape,
    },
    /// An element type that floats are not encoded to.
    #[error("floating-point values cannot be stored as {dtype}")]
    NotAFloat {
        /// The element type asked for.
        dtype: DType,
    },
}
