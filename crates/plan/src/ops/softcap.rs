//! `x = cap · tanh(x / cap)`, in place: values stay between −cap and cap.
//!
//! Source: Gemma 2, arXiv 2408.00118, section 2. Inputs: `x [T, I]` or `[1, I]`. Outputs: `x`.

use bytemuck::{Pod, Zeroable};

use crate::buffer::BufferId;
use crate::error::PlanError;
use crate::ops::Op;
use crate::plan::Step;
use crate::record::Recorder;
use crate::record::expect_positive;

/// The op's name.
pub const NAME: &str = "softcap";

/// Sizes, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// I, columns.
    pub n_columns: u32,
    /// The bound.
    pub cap: f32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, I]` or `[1, I]`.
    pub x: BufferId,
    /// The bound, above 0.
    pub cap: f32,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(step: &Step, params: &Params) -> Self {
        Self { x: step.outputs[0], cap: params.cap }
    }
}

impl Recorder {
    /// Appends the op.
    ///
    /// # Errors
    /// A bound that is no number above 0.
    pub fn softcap(&mut self, args: Args) -> Result<(), PlanError> {
        let Args { x, cap } = args;
        expect_positive(NAME, "bound", cap)?;
        let (n_rows, n_columns) = (self.n_rows_alike(NAME, x, x)?, self.shape(x).n_columns());
        self.expect(NAME, x, &[n_rows, n_columns])?;
        self.push(Op::Softcap(Params { n_columns: n_columns as u32, cap }), vec![x], vec![x]);
        Ok(())
    }
}
