//! The gradient of `y = act(a) ⊙ b`: `da = dy ⊙ b ⊙ act'(a)`, `db = dy ⊙ act(a)`.
//!
//! Inputs: `a [T, F]`, `b [T, F]`, `dy [T, F]`. Outputs: `da [T, F]`, `db [T, F]`.

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::ops::gate::Activation;
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "gate_backward";

/// Sizes and choices.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Params {
    /// F, columns.
    pub n_columns: u32,
    /// What gates pass through.
    pub activation: Activation,
}

/// The buffers and choices of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, F]`, the gates.
    pub a: BufferId,
    /// `[T, F]`, the values that are gated.
    pub b: BufferId,
    /// What gates pass through.
    pub activation: Activation,
    /// `[T, F]`.
    pub dy: BufferId,
    /// `[T, F]`.
    pub da: BufferId,
    /// `[T, F]`.
    pub db: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        let [a, b, dy] = [0, 1, 2].map(|i| io.inputs[i]);
        Self { a, b, activation: params.activation, dy, da: io.outputs[0], db: io.outputs[1] }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, gates of several columns each, or an output as an input.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { a, b, activation, dy, da, db } = self;
        let width = declared.shape(dy).n_columns();
        for x in [a, b, dy] {
            declared.expect_beside(NAME, [x, da], width)?;
            declared.expect_beside(NAME, [x, db], width)?;
        }
        let params = Params { n_columns: width as u32, activation };
        Ok(Recorded { params, inputs: vec![a, b, dy], outputs: vec![da, db] })
    }
}
