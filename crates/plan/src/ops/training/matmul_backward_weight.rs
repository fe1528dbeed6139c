//! `dW += dyᵀ · x`, `db += Σₜ dy[t]`: what a product's matrix and bias have of the gradient.
//!
//! Inputs: `dy [T, O]`, `x [T, I]`. Outputs: `dw [O, I]`, then `db [O]` where present; both are added to.

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "matmul_backward_weight";

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Params {
    /// I, columns of the matrix.
    pub n_in: u32,
    /// O, rows of the matrix.
    pub n_out: u32,
    /// 1 where there is a bias.
    pub bias: u32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, O]`.
    pub dy: BufferId,
    /// `[T, I]`.
    pub x: BufferId,
    /// `[O, I]`.
    pub dw: BufferId,
    /// `[O]`.
    pub db: Option<BufferId>,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>) -> Self {
        Self { dy: io.inputs[0], x: io.inputs[1], dw: io.outputs[0], db: io.outputs.get(1).copied() }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { dy, x, dw, db } = self;
        let [n_out, n_in] = [declared.shape(dw).n_rows(), declared.shape(dw).n_columns()];
        let n_rows = declared.n_rows_alike(NAME, dy, x)?;
        declared.expect_activations(NAME, dy, [n_rows, n_out])?;
        declared.expect_activations(NAME, x, [n_rows, n_in])?;
        if let Some(db) = db {
            declared.expect(NAME, db, &[n_out])?;
        }
        let params = Params { n_in: n_in as u32, n_out: n_out as u32, bias: db.is_some().into() };
        Ok(Recorded { params, inputs: vec![dy, x], outputs: [Some(dw), db].into_iter().flatten().collect() })
    }
}
