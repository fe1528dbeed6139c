//! One step of a Plan.

use crate::buffer::{Buffer, BufferId};
use crate::ops::Op;
use crate::spec::{Io, Products};
use crate::tolerance::Tolerance;

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

    /// How near a backend must come to the plain run in what the step writes of a buffer of the Plan, from the same inputs; `None` for room that it
    /// need not write.
    pub fn tolerance(&self, buffers: &[Buffer], output: BufferId) -> Option<Tolerance> {
        self.op.spec().tolerance(self.io(), buffers, output)
    }

    /// The matrices that it multiplies with; `None` where it has none.
    pub fn products(&self) -> Option<Products> {
        self.op.spec().products(self.io())
    }
}
