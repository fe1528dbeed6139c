//! Queries and keys are normalised head by head and rotated; keys and values go into the cache.
//!
//! For each head, `z = w · h / √(mean(h²) + ε)`, or `h` where there are no norms; then, where there is a table, with `c, s` its
//! row at the position that the row has in its sequence: `z'[a] = z[a]·c[i] − z[b]·s[i]`, `z'[b] = z[b]·c[i] + z[a]·s[i]`, for the pairs
//! `(a, b) = (i, i + A/2)` or `(2i, 2i + 1)`. Values are copied as they are.
//!
//! Source: Su et al., "RoFormer", arXiv 2104.09864; halves as in transformers' Llama, neighbours as in its Cohere2. Inputs:
//! `qkv [T, (H + 2K)·A]`, then `q_norm [A]` and `k_norm [A]`, then `rope [S, A]` (cosines in the first half of a row, sines in the
//! second), where present. Outputs: `q [T, H·A]`, and pages of `keys [K, PAGE, A]` and `values [K, PAGE, A]`: position `s` goes to entry
//! `s mod PAGE` of page `s / PAGE` of the sequence's page table, and nothing else is written.

use bytemuck::{Pod, Zeroable};
use hala_tensor::DType;

use crate::buffer::{BufferId, BufferKind, StateKind};
use crate::declared::Declared;
use crate::error::PlanError;
use crate::rows::PAGE;
use crate::spec::{Counted, Io, OpSpec, Record, Recorded, Work};

/// The op's name.
pub const NAME: &str = "rope_kv";

/// Which elements of a head turn together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairs {
    /// Those half a head apart: `i` and `i + A/2`.
    Halves,
    /// Those beside each other: `2i` and `2i + 1`.
    Neighbours,
}

/// The norms of heads.
#[derive(Debug, Clone, Copy)]
pub struct Norms {
    /// `[A]`, f32.
    pub q: BufferId,
    /// `[A]`, f32.
    pub k: BufferId,
    /// ε of both.
    pub eps: f32,
}

/// The angles that heads turn by.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// `[S, A]`, f32.
    pub table: BufferId,
    /// What turns together.
    pub pairs: Pairs,
}

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// H, query heads.
    pub n_heads: u32,
    /// K, key and value heads.
    pub n_kv_heads: u32,
    /// A, elements of a head.
    pub head_size: u32,
    /// S, positions that a sequence has at most.
    pub n_positions: u32,
    /// ε of both norms.
    pub eps: f32,
    /// 1 where heads are normalised.
    pub norm: u32,
    /// 0 where nothing turns, 1 for pairs of halves, 2 for neighbours.
    pub turn: u32,
    /// Which of a sequence's page tables the cache has.
    pub table: u32,
}

/// The sizes of a cache's pages, and whose they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cache {
    pub(super) n_kv_heads: usize,
    pub(super) head_size: usize,
    pub(super) table: u32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, (H + 2K)·A]`: queries, keys, values.
    pub qkv: BufferId,
    /// The norms, where heads are normalised.
    pub norms: Option<Norms>,
    /// The angles, where positions are told by turning.
    pub turn: Option<Turn>,
    /// `[T, H·A]`.
    pub q: BufferId,
    /// Pages `[K, PAGE, A]`, f32 or f16.
    pub keys: BufferId,
    /// Pages `[K, PAGE, A]`, f32 or f16.
    pub values: BufferId,
    /// S, positions that a sequence has at most.
    pub n_positions: usize,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        let [q, keys, values] = [0, 1, 2].map(|i| io.outputs[i]);
        let (norms, rest) = io.inputs[1..].split_at(2 * params.norm as usize);
        let norms = (params.norm == 1).then(|| Norms { q: norms[0], k: norms[1], eps: params.eps });
        let pairs = if params.turn == 2 { Pairs::Neighbours } else { Pairs::Halves };
        let turn = rest.first().map(|table| Turn { table: *table, pairs });
        let n_positions = params.n_positions as usize;
        Self { qkv: io.inputs[0], norms, turn, q, keys, values, n_positions }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, an odd head size, or a cache that is neither f32 nor f16.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { qkv, norms, turn, q, keys, values, n_positions } = self;
        let t = declared.n_tokens();
        let Cache { n_kv_heads, head_size, table } = Cache::of(declared, NAME, [keys, values])?;
        let n_heads = declared.shape(q).n_columns() / head_size;
        if !head_size.is_multiple_of(2) {
            let what = format!("a head size of {head_size}, and it must be even");
            return Err(PlanError::Parameter { op: NAME, what });
        }
        declared.expect_activations(NAME, q, [t, n_heads * head_size])?;
        declared.expect_activations(NAME, qkv, [t, (n_heads + 2 * n_kv_heads) * head_size])?;
        let mut inputs = vec![qkv];
        for norm in norms.iter().flat_map(|norms| [norms.q, norms.k]) {
            declared.expect(NAME, norm, &[head_size])?;
            inputs.push(norm);
        }
        if let Some(turn) = turn {
            declared.expect(NAME, turn.table, &[n_positions, head_size])?;
            inputs.push(turn.table);
        }
        let params = Params {
            n_heads: n_heads as u32,
            n_kv_heads: n_kv_heads as u32,
            head_size: head_size as u32,
            n_positions: n_positions as u32,
            eps: norms.map_or(0.0, |norms| norms.eps),
            norm: norms.is_some().into(),
            turn: turn.map_or(0, |turn| if turn.pairs == Pairs::Halves { 1 } else { 2 }),
            table,
        };
        Ok(Recorded { params, inputs, outputs: vec![q, keys, values] })
    }
}

impl Cache {
    /// What the pages of keys and values are, which must be alike.
    pub(super) fn of(
        declared: &Declared,
        op: &'static str,
        [keys, values]: [BufferId; 2],
    ) -> Result<Self, PlanError> {
        declared.expect_dtype(op, keys, "f32 or f16", |d| matches!(d, DType::F32 | DType::F16))?;
        let buffer = declared.buffer(keys);
        let wrong = || PlanError::Shape {
            op,
            label: buffer.label.clone(),
            found: buffer.shape,
            expected: format!("pages of [K, {PAGE}, A], none of them 0"),
        };
        let &[n_kv_heads, PAGE, head_size] = buffer.shape.dims() else { return Err(wrong()) };
        let BufferKind::State(_, StateKind::Paged { table }) = buffer.kind else { return Err(wrong()) };
        if buffer.shape.n_elements() == 0 {
            return Err(wrong());
        }
        declared.expect(op, values, &[n_kv_heads, PAGE, head_size])?;
        let other = declared.buffer(values);
        if other.dtype != buffer.dtype
            || !matches!(other.kind, BufferKind::State(_, kind) if kind == StateKind::Paged { table })
        {
            let what = format!("{} is held otherwise than {}", other.label, buffer.label);
            return Err(PlanError::Parameter { op, what });
        }
        Ok(Self { n_kv_heads, head_size, table })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn n_positions(&self) -> Option<usize> {
        Some(self.n_positions as usize)
    }

    fn work(&self, run: &Counted<'_>) -> Work {
        let n_bytes = cached_bytes(run, &run.io.outputs[1..3], run.n_tokens);
        Work { sizes: format!("of {}", run.n_tokens + run.position), n_bytes, n_flops: 0 }
    }
}

/// Bytes of `n_positions` of keys and values.
pub(super) fn cached_bytes(run: &Counted<'_>, pages: &[BufferId], n_positions: usize) -> usize {
    pages.iter().map(|page| run.n_bytes(*page) / PAGE * n_positions).sum()
}
