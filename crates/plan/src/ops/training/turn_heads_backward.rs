//! The gradient of `turn_heads`: heads are turned back, then through the gradient of their norm.
//!
//! Inputs: `qkv [T, (H + 2K)·A]`, `dturned [T, (H + 2K)·A]`, then `q_norm [A]` and `k_norm [A]`, then `rope [S, A]`, where present, and the starts of the
//! run's documents. Outputs: `dqkv [T, (H + 2K)·A]`, then `dq_norm [A]` and `dk_norm [A]`, which are added to.

use super::turn_heads;
pub use super::turn_heads::Params;
use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::ops::rope_kv::{Norms, Pairs, Turn};
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "turn_heads_backward";

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, (H + 2K)·A]`.
    pub qkv: BufferId,
    /// `[T, (H + 2K)·A]`.
    pub dturned: BufferId,
    /// The norms, where heads are normalised.
    pub norms: Option<Norms>,
    /// The angles, where positions are told by turning.
    pub turn: Option<Turn>,
    /// `[T, (H + 2K)·A]`.
    pub dqkv: BufferId,
    /// `[A]` of queries and of keys, where heads are normalised.
    pub dnorms: Option<[BufferId; 2]>,
    /// H, K and A.
    pub heads: turn_heads::Heads,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        let (norms, rest) = io.inputs[2..].split_at(2 * params.norm as usize);
        let norms = (params.norm == 1).then(|| Norms { q: norms[0], k: norms[1], eps: params.eps });
        let pairs = if params.turn == 2 { Pairs::Neighbours } else { Pairs::Halves };
        let turn = (params.turn > 0).then(|| Turn { table: rest[0], pairs });
        let dnorms = (params.norm == 1).then(|| [io.outputs[1], io.outputs[2]]);
        let [qkv, dturned] = [io.inputs[0], io.inputs[1]];
        Self { qkv, dturned, norms, turn, dqkv: io.outputs[0], dnorms, heads: params.heads }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, norms without gradients, or `dqkv` as an input.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { qkv, dturned, norms, turn, dqkv, dnorms, heads } = self;
        let forward = turn_heads::Args { qkv, norms, turn, turned: dqkv, heads }.record(declared)?;
        declared.expect_beside(NAME, [dturned, dqkv], heads.width())?;
        if norms.is_some() != dnorms.is_some() {
            let what = "norms of heads and their gradients go together".to_owned();
            return Err(PlanError::Parameter { op: NAME, what });
        }
        for dnorm in dnorms.iter().flatten() {
            declared.expect(NAME, *dnorm, &[heads.head_size as usize])?;
        }
        let mut inputs = forward.inputs;
        inputs.insert(1, dturned);
        let outputs = [dqkv].into_iter().chain(dnorms.into_iter().flatten()).collect();
        Ok(Recorded { params: forward.params, inputs, outputs })
    }
}
