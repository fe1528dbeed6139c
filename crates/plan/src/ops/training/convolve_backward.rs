//! The gradient of `packed_convolve`.
//!
//! `dC = dy ⊙ v`, `dv = dy ⊙ C`, `du[s] = Σₖ taps[k] · dv[s + (n_taps − 1) − k]` over rows of the same document, `dB = du ⊙ X`, `dX = du ⊙ B`,
//! `dtaps[k] += Σₜ dv[t] · u[t − (n_taps − 1) + k]`, `dbias += Σₜ dv[t]`. Inputs: `projected [T, 3D]`, `taps [D, n_taps]`, `dy [T, D]`, then `bias [D]`
//! where present, and the starts of the run's documents. Outputs: `dprojected [T, 3D]`, `dtaps [D, n_taps]`, then `dbias [D]`.

use super::packed_convolve;
use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
pub use crate::ops::convolve::Params;
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "convolve_backward";

/// A bias with its gradient.
#[derive(Debug, Clone, Copy)]
pub struct Bias {
    /// `[D]`.
    pub bias: BufferId,
    /// `[D]`.
    pub dbias: BufferId,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, 3D]`.
    pub projected: BufferId,
    /// `[D, n_taps]`.
    pub taps: BufferId,
    /// `[T, D]`.
    pub dy: BufferId,
    /// `[T, 3D]`.
    pub dprojected: BufferId,
    /// `[D, n_taps]`.
    pub dtaps: BufferId,
    /// The bias of the convolution.
    pub bias: Option<Bias>,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>) -> Self {
        let [projected, taps, dy] = [0, 1, 2].map(|i| io.inputs[i]);
        let bias = io.inputs.get(3).map(|bias| Bias { bias: *bias, dbias: io.outputs[2] });
        Self { projected, taps, dy, dprojected: io.outputs[0], dtaps: io.outputs[1], bias }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, or `dprojected` as `projected`.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { projected, taps, dy, dprojected, dtaps, bias } = self;
        let forward = packed_convolve::Args { projected, taps, bias: bias.map(|b| b.bias), y: dy };
        let params = forward.record(declared)?.params;
        declared.expect_beside(NAME, [projected, dprojected], 3 * params.width as usize)?;
        declared.expect(NAME, dtaps, &[params.width as usize, params.n_taps as usize])?;
        let (mut inputs, mut outputs) = (vec![projected, taps, dy], vec![dprojected, dtaps]);
        if let Some(Bias { bias, dbias }) = bias {
            declared.expect(NAME, dbias, &[params.width as usize])?;
            inputs.push(bias);
            outputs.push(dbias);
        }
        Ok(Recorded { params, inputs, outputs })
    }
}
