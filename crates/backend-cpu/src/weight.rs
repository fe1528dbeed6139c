//! Weights as they were uploaded.

use std::sync::Arc;

use hala_tensor::{DType, Data, Shape, Tensor};

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
}

impl Weight {
    /// Keeps a tensor as it is.
    pub(crate) fn rows(tensor: Tensor) -> Self {
        Self(Arc::new(Stored::Rows(tensor)))
    }

    /// Repacks int8 and int4 matrices, and keeps others as they are.
    pub(crate) fn packed(layout: Layout, tensor: Tensor) -> Self {
        Self(Arc::new(match tensor.data() {
            Data::Int8 { codes, scales, group } => {
                Stored::Panels(Panels::new(layout, tensor.shape(), *group, Codes::Int8(codes), scales))
            }
            Data::Int4 { codes, scales, group } => {
                Stored::Panels(Panels::new(layout, tensor.shape(), *group, Codes::Int4(codes), scales))
            }
            Data::F32(_) | Data::F16(_) | Data::BF16(_) | Data::U32(_) | Data::E4M3 { .. } => {
                Stored::Rows(tensor)
            }
        }))
    }
}

impl Stored {
    /// The dimensions.
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::Rows(tensor) => tensor.shape(),
            Self::Panels(panels) => panels.shape(),
        }
    }

    /// The element type.
    pub(crate) fn dtype(&self) -> DType {
        match self {
            Self::Rows(tensor) => tensor.dtype(),
            Self::Panels(panels) => panels.dtype(),
        }
    }
}
