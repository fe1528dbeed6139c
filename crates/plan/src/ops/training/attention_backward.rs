//! The gradient of `packed_attention`; the scores are computed again from the logarithms of their sums.
//!
//! With `p[s] = exp(z[s] − l)` and `δ = dy · y`: `dv[s] += p[s] · dy`, `dz[s] = p[s] · (dy · v[s] − δ)`, `dq = Σₛ dz[s] · k[s] · scale`,
//! `dk[s] += dz[s] · q · scale`; keys and values gather from all query heads that share them. Source: Dao et al., arXiv 2205.14135. Inputs:
//! `turned [T, (H + 2K)·A]`, `y [T, H·A]`, `l [T, H]`, `dy [T, H·A]`, and the starts of the run's documents. Outputs: `dturned [T, (H + 2K)·A]`.

pub use super::packed_attention::Params;
use super::{packed_attention, turn_heads::Heads};
use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "attention_backward";

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, (H + 2K)·A]`.
    pub turned: BufferId,
    /// `[T, H·A]`.
    pub y: BufferId,
    /// `[T, H]`.
    pub log_sums: BufferId,
    /// `[T, H·A]`.
    pub dy: BufferId,
    /// `[T, (H + 2K)·A]`.
    pub dturned: BufferId,
    /// H, K and A.
    pub heads: Heads,
    /// Factor of the scores.
    pub scale: f32,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        let [turned, y, log_sums, dy] = [0, 1, 2, 3].map(|i| io.inputs[i]);
        let Params { heads, scale } = *params;
        Self { turned, y, log_sums, dy, dturned: io.outputs[0], heads, scale }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Those of `packed_attention`, or `dturned` as `turned`.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { turned, y, log_sums, dy, dturned, heads, scale } = self;
        let forward = packed_attention::Args { turned, y, log_sums, heads, scale }.record(declared)?;
        declared.expect_activations(NAME, dy, [declared.n_tokens(), heads.q_width()])?;
        declared.expect_beside(NAME, [turned, dturned], heads.width())?;
        let inputs = vec![turned, y, log_sums, dy];
        Ok(Recorded { params: forward.params, inputs, outputs: vec![dturned] })
    }
}
