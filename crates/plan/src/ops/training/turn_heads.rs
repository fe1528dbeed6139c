//! Queries and keys are normalised head by head and turned by the position in their document; values are copied.
//!
//! The formulas are those of `rope_kv`, without a cache. Inputs: `qkv [T, (H + 2K)·A]`, then `q_norm [A]` and `k_norm [A]`, then `rope [S, A]`, where
//! present, and the starts of the run's documents. Outputs: `turned [T, (H + 2K)·A]`.

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::ops::rope_kv::{Norms, Pairs, Turn};
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "turn_heads";

/// H, K and A.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Heads {
    /// H, query heads.
    pub n_heads: u32,
    /// K, key and value heads.
    pub n_kv_heads: u32,
    /// A, elements of a head.
    pub head_size: u32,
}

impl Heads {
    /// `(H + 2K)·A`, the columns of queries, keys and values.
    pub fn width(&self) -> usize {
        ((self.n_heads + 2 * self.n_kv_heads) * self.head_size) as usize
    }

    /// `H·A`, the columns of queries.
    pub fn q_width(&self) -> usize {
        (self.n_heads * self.head_size) as usize
    }

    /// `K·A`, the columns of keys, and of values.
    pub fn kv_width(&self) -> usize {
        (self.n_kv_heads * self.head_size) as usize
    }
}

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Params {
    /// H, K and A.
    pub heads: Heads,
    /// S, positions that a document has at most; [`u32::MAX`] where nothing turns.
    pub n_positions: u32,
    /// ε of both norms.
    pub eps: f32,
    /// 1 where heads are normalised.
    pub norm: u32,
    /// 0 where nothing turns, 1 for pairs of halves, 2 for neighbours.
    pub turn: u32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, (H + 2K)·A]`.
    pub qkv: BufferId,
    /// The norms, where heads are normalised.
    pub norms: Option<Norms>,
    /// The angles, where positions are told by turning.
    pub turn: Option<Turn>,
    /// `[T, (H + 2K)·A]`.
    pub turned: BufferId,
    /// H, K and A.
    pub heads: Heads,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        let (norms, rest) = io.inputs[1..].split_at(2 * params.norm as usize);
        let norms = (params.norm == 1).then(|| Norms { q: norms[0], k: norms[1], eps: params.eps });
        let pairs = if params.turn == 2 { Pairs::Neighbours } else { Pairs::Halves };
        let turn = (params.turn > 0).then(|| Turn { table: rest[0], pairs });
        Self { qkv: io.inputs[0], norms, turn, turned: io.outputs[0], heads: params.heads }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, an odd head size, or `turned` as `qkv`.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { qkv, norms, turn, turned, heads } = self;
        let head_size = heads.head_size as usize;
        if !head_size.is_multiple_of(2) {
            let what = format!("a head size of {head_size}, and it must be even");
            return Err(PlanError::Parameter { op: NAME, what });
        }
        declared.expect_beside(NAME, [qkv, turned], heads.width())?;
        let mut inputs = vec![qkv];
        for norm in norms.iter().flat_map(|norms| [norms.q, norms.k]) {
            declared.expect(NAME, norm, &[head_size])?;
            inputs.push(norm);
        }
        let mut n_positions = u32::MAX;
        if let Some(turn) = turn {
            let n_rows = declared.shape(turn.table).n_rows();
            declared.expect(NAME, turn.table, &[n_rows, head_size])?;
            inputs.push(turn.table);
            n_positions = n_rows as u32;
        }
        let params = Params {
            heads,
            n_positions,
            eps: norms.map_or(0.0, |norms| norms.eps),
            norm: norms.is_some().into(),
            turn: turn.map_or(0, |turn| if turn.pairs == Pairs::Halves { 1 } else { 2 }),
        };
        Ok(Recorded { params, inputs, outputs: vec![turned] })
    }
}
