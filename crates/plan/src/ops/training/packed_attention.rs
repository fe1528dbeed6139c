//! Causal attention of documents end to end: a row sees the rows of its own document up to itself.
//!
//! For row `t` of a document that starts at `b`, and query head `h` with key/value head `g = h / (H / K)`: `z[s] = q · k[s, g] · scale` for
//! `b ≤ s ≤ t`, `l = log Σₛ exp z[s]`, `y = Σₛ exp(z[s] − l) · v[s, g]`. `l` is all that the backward pass needs of the scores. Source: Dao et al.,
//! arXiv 2205.14135. Inputs: `turned [T, (H + 2K)·A]`, and the starts of the run's documents. Outputs: `y [T, H·A]`, `l [T, H]`.

use super::turn_heads::Heads;
use crate::buffer::BufferId;
use crate::declared::{Declared, expect_positive};
use crate::error::PlanError;
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "packed_attention";

/// Sizes, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Params {
    /// H, K and A.
    pub heads: Heads,
    /// Factor of the scores, usually 1/√A.
    pub scale: f32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, (H + 2K)·A]`: queries, keys, values.
    pub turned: BufferId,
    /// `[T, H·A]`.
    pub y: BufferId,
    /// `[T, H]`: the logarithms of the sums that scores are divided by.
    pub log_sums: BufferId,
    /// H, K and A.
    pub heads: Heads,
    /// Factor of the scores.
    pub scale: f32,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        let Params { heads, scale } = *params;
        Self { turned: io.inputs[0], y: io.outputs[0], log_sums: io.outputs[1], heads, scale }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, or query heads that are no multiple of the key/value heads.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { turned, y, log_sums, heads, scale } = self;
        let Heads { n_heads, n_kv_heads, .. } = heads;
        if n_kv_heads == 0 || !n_heads.is_multiple_of(n_kv_heads) {
            let what = format!("{n_heads} query heads are no multiple of {n_kv_heads} key/value heads");
            return Err(PlanError::Parameter { op: NAME, what });
        }
        expect_positive(NAME, "scale", scale)?;
        declared.expect_activations(NAME, turned, [declared.n_tokens(), heads.width()])?;
        declared.expect_activations(NAME, y, [declared.n_tokens(), heads.q_width()])?;
        declared.expect_activations(NAME, log_sums, [declared.n_tokens(), n_heads as usize])?;
        Ok(Recorded { params: Params { heads, scale }, inputs: vec![turned], outputs: vec![y, log_sums] })
    }
}
