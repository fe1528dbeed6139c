//! `y[i] = x[wanted[i]]`: the rows whose logits are wanted, side by side.
//!
//! Inputs: `x [T, D]`; the indices come with a run ([`Rows::wanted`](crate::Rows::wanted)). Outputs: `y [W, D]`, of which a run writes as
//! many rows as are wanted.

use bytemuck::{Pod, Zeroable};

use crate::buffer::{Axis, Buffer, BufferId};
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Counted, Io, OpSpec, Record, Recorded, Work};
use crate::tolerance::{EXACT, Tolerance};

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
    pub fn of(io: Io<'_>) -> Self {
        Self { x: io.inputs[0], y: io.outputs[0] }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, or a `y` whose rows are not those that are wanted.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { x, y } = self;
        declared.expect_apart(NAME, x, y)?;
        let (width, n_wanted) = (declared.shape(x).n_columns(), declared.shape(y).n_rows());
        declared.expect_activations(NAME, x, [declared.n_tokens(), width])?;
        declared.expect_activations(NAME, y, [n_wanted, width])?;
        for (id, axis) in [(x, Axis::Rows), (y, Axis::Wanted)] {
            let buffer = declared.buffer(id);
            if buffer.axis != axis {
                let what =
                    format!("the rows of {} are {:?}, and must be {axis:?}", buffer.label, buffer.axis);
                return Err(PlanError::Parameter { op: NAME, what });
            }
        }
        Ok(Recorded { params: Params { width: width as u32 }, inputs: vec![x], outputs: vec![y] })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tolerance(&self, _io: Io<'_>, _buffers: &[Buffer], _output: BufferId) -> Option<Tolerance> {
        Some(EXACT)
    }

    fn work(&self, _run: &Counted<'_>) -> Work {
        Work { sizes: self.width.to_string(), ..Work::default() }
    }
}
