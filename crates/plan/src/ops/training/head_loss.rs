//! The output head with the cross-entropy of its logits, and its gradient, a chunk of rows at a time.
//!
//! `z = x · headᵀ`, `p = softmax(z)`, and of a row with a label, `q[i] = (1 − ε) · [i = label] + ε / V`: `loss = −Σᵢ q[i] · log p[i]`; with `c` the row's
//! weight, `dz = c · (p − q)`, `dx = dz · head`, `dhead += dzᵀ · x`. The logits of all rows are never in memory together. What is computed is the
//! gradient of `Σ c · loss`; who updates divides by `Σ c` of all that was accumulated. Source of ε: Szegedy et al., arXiv 1512.00567, section 7.
//! Inputs: `x [T, D]`, `head [V, D]`, and labels and weights of the run. Outputs: `losses [T, 1]` (0 for a row without a label), `dx [T, D]`,
//! `dhead [V, D]`, which is added to, and `logits [R, V]`, room for the rows of a chunk. A run that evaluates writes no gradient.

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "head_loss";

/// Logits of a chunk, about: 32 MiB.
const CHUNK_LOGITS: usize = 8 << 20;

/// The fewest rows of a chunk: fewer would read the whole head for too little.
const MIN_CHUNK: usize = 64;

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Params {
    /// V, rows of the head.
    pub n_vocab: u32,
    /// D, columns of the head.
    pub width: u32,
    /// R, rows of a chunk.
    pub n_rows: u32,
    /// ε, the share of the target that is spread over all ids.
    pub smoothing: f32,
}

/// The buffers and choices of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, D]`.
    pub x: BufferId,
    /// `[V, D]`.
    pub head: BufferId,
    /// `[T, 1]`.
    pub losses: BufferId,
    /// `[T, D]`.
    pub dx: BufferId,
    /// `[V, D]`.
    pub dhead: BufferId,
    /// `[R, V]`.
    pub logits: BufferId,
    /// ε, from 0 to below 1.
    pub smoothing: f32,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        let [losses, dx, dhead, logits] = [0, 1, 2, 3].map(|i| io.outputs[i]);
        let [x, head] = [io.inputs[0], io.inputs[1]];
        Self { x, head, losses, dx, dhead, logits, smoothing: params.smoothing }
    }
}

/// R, the rows of a chunk that are worth having.
pub fn chunk_rows(n_tokens: usize, n_vocab: usize) -> usize {
    (CHUNK_LOGITS / n_vocab.max(1)).max(MIN_CHUNK).min(n_tokens)
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, `dx` as `x`, or ε that is no share.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { x, head, losses, dx, dhead, logits, smoothing } = self;
        let [n_vocab, width] = [declared.shape(head).n_rows(), declared.shape(head).n_columns()];
        if !(0.0..1.0).contains(&smoothing) {
            let what = format!("label smoothing of {smoothing}, and it must be from 0 to below 1");
            return Err(PlanError::Parameter { op: NAME, what });
        }
        declared.expect_beside(NAME, [x, dx], width)?;
        declared.expect(NAME, dhead, &[n_vocab, width])?;
        declared.expect_activations(NAME, losses, [declared.n_tokens(), 1])?;
        let n_rows = declared.shape(logits).n_rows();
        declared.expect(NAME, logits, &[n_rows, n_vocab])?;
        let params =
            Params { n_vocab: n_vocab as u32, width: width as u32, n_rows: n_rows as u32, smoothing };
        Ok(Recorded { params, inputs: vec![x, head], outputs: vec![losses, dx, dhead, logits] })
    }
}
