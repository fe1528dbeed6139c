//! Shapes, element types, and the block formats of quantised weights.
//!
//! Layer 0: everything above speaks of tensors in these words. A [`Tensor`] is bytes on the host with a
//! [`Shape`] and a [`DType`]; the formats [`e4m3`], [`int8`] and [`int4`] say how one block of codes and scales is
//! encoded and decoded, and every backend decodes to exactly these values.

pub mod e4m3;
pub mod int4;
pub mod int8;

mod counted;
mod dtype;
mod error;
mod rounding;
mod shape;
mod tensor;

pub use counted::{counted, several};
pub use dtype::DType;
pub use error::TensorError;
pub use rounding::{Rounded, Rounding};
pub use shape::{Shape, ShapeError};
pub use tensor::{Data, Tensor, TensorBuilder};
