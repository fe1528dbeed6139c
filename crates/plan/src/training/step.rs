//! One step of a training Plan.

use crate::buffer::BufferId;
use crate::ops::training::TrainOp;
use crate::spec::Io;

/// One op with the buffers that it reads and writes, in the order that the op's module documents.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainStep {
    /// The op and its parameters.
    pub op: TrainOp,
    /// Buffers read.
    pub inputs: Vec<BufferId>,
    /// Buffers written; one that is also among the inputs is added to, as are gradients of parameters.
    pub outputs: Vec<BufferId>,
}

impl TrainStep {
    /// Its buffers.
    pub fn io(&self) -> Io<'_> {
        Io { inputs: &self.inputs, outputs: &self.outputs }
    }
}
