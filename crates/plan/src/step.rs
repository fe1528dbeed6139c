//! One step of a Plan.

use crate::buffer::BufferId;
use crate::ops::Op;
use crate::spec::{Io, Products};

/// One op with the buffers that it reads and writes, in the order that the op's module documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The op and its parameters.
    pub op: Op,
    /// Buffers read.
    pub inputs: Vec<BufferId>,
    /// Buffers written; one that is also among the inputs is updated in place.
    pub outputs: Vec<BufferId>,
}

impl Step {
    /// Its buffers.
    pub fn io(&self) -> Io<'_> {
        Io { inputs: &self.inputs, outputs: &self.outputs }
    }

    /// The matrices that it multiplies with; `None` where it has none.
    pub fn products(&self) -> Option<Products> {
        self.op.spec().products(self.io())
    }
}
