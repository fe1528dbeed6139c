//! One step of a Plan.

use crate::buffer::{Buffer, BufferId};
use crate::declared::Declared;
use crate::error::PlanError;
use crate::ops::Op;
use crate::spec::{Io, Products, Record, Recorded};
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
    /// The step of these buffers and choices.
    ///
    /// # Errors
    /// Buffers that do not fit together, or a parameter that the op does not support.
    pub(crate) fn of<A: Record>(args: A, declared: &Declared) -> Result<Self, PlanError>
    where
        Op: From<A::Params>,
    {
        let Recorded { params, inputs, outputs } = args.record(declared)?;
        Ok(Self { op: params.into(), inputs, outputs })
    }

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
