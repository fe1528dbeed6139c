//! Weights as they were uploaded.

use std::sync::Arc;

use hala_tensor::{DType, Data, Shape, Tensor};

use crate::simd::float_panels::FloatPanels;
use crate::simd::floats::Float;
use crate::simd::layout::Layout;
use crate::simd::panels::{Codes, Panels};

/// A weight on the host; a clone is another handle to the same memory.
#[derive(Debug, Clone)]
pub struct Weight(pub(crate) Arc<Stored>);

/// In what layout a weight is kept.
#[derive(Debug)]
pub(crate) enum Stored {
    /// Row by row, as it came.
    Rows(Tensor),
    /// An int8 or int4 matrix for the threaded path.
    Panels(Panels),
    /// A matrix of E4M3, f16 or bf16 numbers for the threaded path.
    Floats(FloatPanels),
}

impl Weight {
    /// Keeps a tensor as it is.
    pub(crate) fn rows(tensor: Tensor) -> Self {
        Self(Arc::new(Stored::Rows(tensor)))
    }

    /// Repacks what kernels read in panels, and keeps f32 and ids as they are.
    pub(crate) fn packed(layout: Layout, tensor: Tensor) -> Self {
        let shape = tensor.shape();
        Self(Arc::new(match tensor.data() {
            Data::Int8 { codes, scales, group } => {
                Stored::Panels(Panels::new(layout, shape, *group, Codes::Int8(codes), scales))
            }
            Data::Int4 { codes, scales, group } => {
                Stored::Panels(Panels::new(layout, shape, *group, Codes::Int4(codes), scales))
            }
            Data::E4M3 { codes, scales } => {
                Stored::Floats(FloatPanels::new(Float::E4M3, shape, codes, scales))
            }
            Data::F16(codes) => Stored::Floats(FloatPanels::new(Float::F16, shape, codes, &[])),
            Data::BF16(codes) => Stored::Floats(FloatPanels::new(Float::BF16, shape, codes, &[])),
            Data::F32(_) | Data::U32(_) => Stored::Rows(tensor),
        }))
    }
}

impl Stored {
    /// The dimensions.
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::Rows(tensor) => tensor.shape(),
            Self::Panels(panels) => panels.shape(),
            Self::Floats(panels) => panels.shape(),
        }
    }

    /// The element type.
    pub(crate) fn dtype(&self) -> DType {
        match self {
            Self::Rows(tensor) => tensor.dtype(),
            Self::Panels(panels) => panels.dtype(),
            Self::Floats(panels) => panels.dtype(),
        }
    }
}
