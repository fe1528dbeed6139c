//! `x = cap · tanh(x / cap)`, in place: values stay between −cap and cap.
//!
//! Source: Gemma 2, arXiv 2408.00118, section 2. Inputs: `x [T, I]` or `[1, I]`. Outputs: `x`.

use bytemuck::{Pod, Zeroable};

use crate::buffer::{Buffer, BufferId};
use crate::declared::{Declared, expect_positive};
use crate::error::PlanError;
use crate::spec::{Counted, Io, OpSpec, Record, Recorded, Work};
use crate::tolerance::{F32_EXP, Tolerance};

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
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        Self { x: io.outputs[0], cap: params.cap }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// A bound that is no number above 0.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { x, cap } = self;
        expect_positive(NAME, "bound", cap)?;
        let (n_rows, n_columns) = (declared.n_rows_alike(NAME, x, x)?, declared.shape(x).n_columns());
        declared.expect_activations(NAME, x, [n_rows, n_columns])?;
        Ok(Recorded {
            params: Params { n_columns: n_columns as u32, cap },
            inputs: vec![x],
            outputs: vec![x],
        })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tolerance(&self, _io: Io<'_>, _buffers: &[Buffer], _output: BufferId) -> Option<Tolerance> {
        Some(F32_EXP)
    }

    fn work(&self, _run: &Counted<'_>) -> Work {
        let n_bytes = 4 * self.n_columns as usize;
        Work { sizes: self.n_columns.to_string(), n_bytes, n_flops: 0 }
    }
}
