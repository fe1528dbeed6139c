//! LFM2's gated convolution of documents end to end: its taps do not reach over a document's start.
//!
//! `[B, C, X]` are the columns of `projected`; `u = B ⊙ X`; `v[t] = Σₖ taps[k] · u[t − (n_taps − 1) + k] + c`, where `u` before the document's first
//! row is 0; `y = C ⊙ v`. It is the op `convolve` with each document a sequence of its own. Inputs: `projected [T, 3D]`, `taps [D, n_taps]`, then
//! `bias [D]` where present, and the starts of the run's documents. Outputs: `y [T, D]`.

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
pub use crate::ops::convolve::Params;
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "packed_convolve";

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, 3D]`: B, then C, then X.
    pub projected: BufferId,
    /// `[D, n_taps]`, the newest input on the last tap.
    pub taps: BufferId,
    /// `[D]`.
    pub bias: Option<BufferId>,
    /// `[T, D]`.
    pub y: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>) -> Self {
        let [projected, taps] = [0, 1].map(|i| io.inputs[i]);
        Self { projected, taps, bias: io.inputs.get(2).copied(), y: io.outputs[0] }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { projected, taps, bias, y } = self;
        let [width, n_taps] = [declared.shape(taps).n_rows(), declared.shape(taps).n_columns()];
        declared.expect_activations(NAME, projected, [declared.n_tokens(), 3 * width])?;
        declared.expect_activations(NAME, y, [declared.n_tokens(), width])?;
        let mut inputs = vec![projected, taps];
        if let Some(bias) = bias {
            declared.expect(NAME, bias, &[width])?;
            inputs.push(bias);
        }
        let params = Params { width: width as u32, n_taps: n_taps as u32, bias: bias.is_some().into() };
        Ok(Recorded { params, inputs, outputs: vec![y] })
    }
}
