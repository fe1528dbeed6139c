//! `dx = dy · W`, or `dx += dy · W`: what a product's input has of the gradient.
//!
//! Inputs: `dy [T, O]`, `w [O, I]`, then `dx` where it is added to. Outputs: `dx [T, I]`.

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::ops::matmul::Write;
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "matmul_backward_input";

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Params {
    /// I, columns of the matrix.
    pub n_in: u32,
    /// O, rows of the matrix.
    pub n_out: u32,
    /// 1 where the result is added to `dx`.
    pub add: u32,
}

/// The buffers and choices of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, O]`.
    pub dy: BufferId,
    /// `[O, I]`.
    pub w: BufferId,
    /// `[T, I]`.
    pub dx: BufferId,
    /// Replace or add.
    pub write: Write,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        let write = if params.add == 1 { Write::Add } else { Write::Set };
        Self { dy: io.inputs[0], w: io.inputs[1], dx: io.outputs[0], write }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { dy, w, dx, write } = self;
        let [n_out, n_in] = [declared.shape(w).n_rows(), declared.shape(w).n_columns()];
        declared.expect_apart(NAME, dy, dx)?;
        let n_rows = declared.n_rows_alike(NAME, dy, dx)?;
        declared.expect_activations(NAME, dy, [n_rows, n_out])?;
        declared.expect_activations(NAME, dx, [n_rows, n_in])?;
        let mut inputs = vec![dy, w];
        if write == Write::Add {
            inputs.push(dx);
        }
        let params = Params { n_in: n_in as u32, n_out: n_out as u32, add: (write == Write::Add).into() };
        Ok(Recorded { params, inputs, outputs: vec![dx] })
    }
}
