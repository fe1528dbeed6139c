//! `y[i] = x[wanted[i]]`: the rows whose logits are wanted, side by side.
//!
//! Inputs: `x [T, D]`; the indices come with a run ([`Rows::wanted`](crate::Rows::wanted)). Outputs: `y [W, D]`, of which a run writes as
//! many rows as are wanted.

use bytemuck::{Pod, Zeroable};

use crate::buffer::{Axis, BufferId};
use crate::error::PlanError;
use crate::ops::Op;
use crate::plan::Step;
use crate::record::Recorder;

/// The op's name.
pub const NAME: &str = "gather";

/// Sizes, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// D, columns.
    pub width: u32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, D]`.
    pub x: BufferId,
    /// `[W, D]`, a row for each that is wanted.
    pub y: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(step: &Step) -> Self {
        Self { x: step.inputs[0], y: step.outputs[0] }
    }
}

impl Recorder {
    /// Appends the op.
    ///
    /// # Errors
    /// Shapes that do not fit together, or a `y` whose rows are not those that are wanted.
    pub fn gather(&mut self, args: Args) -> Result<(), PlanError> {
        let Args { x, y } = args;
        self.expect_apart(NAME, x, y)?;
        let (width, n_wanted) = (self.shape(x).n_columns(), self.shape(y).n_rows());
        self.expect(NAME, x, &[self.n_tokens(), width])?;
        self.expect(NAME, y, &[n_wanted, width])?;
        for (id, axis) in [(x, Axis::Rows), (y, Axis::Wanted)] {
            let buffer = self.buffer(id);
            if buffer.axis != axis {
                let what =
                    format!("the rows of {} are {:?}, and must be {axis:?}", buffer.label, buffer.axis);
                return Err(PlanError::Parameter { op: NAME, what });
            }
        }
        self.push(Op::Gather(Params { width: width as u32 }), vec![x], vec![y]);
        Ok(())
    }
}
