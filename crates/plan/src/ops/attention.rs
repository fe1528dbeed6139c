//! Causal attention of a run's queries, each over the cache of its own sequence, `H / K` query heads sharing one key/value head.
//!
//! For the row of a sequence at position `p` and query head `h` with key/value head `g = h / (H / K)`:
//! `a[s] = softmax over p − window < s ≤ p of z[s]`, `y = Σₛ a[s] · values[g, s]`, where `z[s] = q · keys[g, s] · scale`, or
//! `softcap · tanh(z[s] / softcap)` of it.
//!
//! Source: Vaswani et al., arXiv 1706.03762; grouped queries: Ainslie et al., arXiv 2305.13245; windows: Beltagy et al., arXiv
//! 2004.05150; caps: Gemma 2, arXiv 2408.00118. Inputs: `q [T, H·A]`, and pages of `keys [K, PAGE, A]` and
//! `values [K, PAGE, A]`: position `s` is entry `s mod PAGE` of page `s / PAGE` of the sequence's page table. Outputs: `y [T, H·A]`.

use bytemuck::{Pod, Zeroable};

use super::rope_kv::{Cache, cached_bytes};
use crate::buffer::{Buffer, BufferId};
use crate::declared::{Declared, expect_positive};
use crate::error::PlanError;
use crate::places::Window;
use crate::spec::{Counted, Io, OpSpec, Record, Recorded, Work};
use crate::tolerance::{F32_EXP, Tolerance};

/// The op's name.
pub const NAME: &str = "attention";

/// Sizes, as kernels read them.
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
    /// Factor of the scores, usually 1/√A.
    pub scale: f32,
    /// Bound of the scores; 0 for none.
    pub softcap: f32,
    /// Positions that a token sees at most, its own among them; [`u32::MAX`] for all.
    pub window: u32,
    /// Which of a sequence's page tables the cache has.
    pub table: u32,
}

impl Params {
    /// The first position that the token at `position` sees.
    pub fn first_seen(&self, position: usize) -> usize {
        self.seen().first_seen(position)
    }

    fn seen(&self) -> Window {
        Window { table: self.table, n_seen: self.window }
    }
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, H·A]`.
    pub q: BufferId,
    /// Pages `[K, PAGE, A]`, f32 or f16.
    pub keys: BufferId,
    /// Pages `[K, PAGE, A]`, f32 or f16.
    pub values: BufferId,
    /// `[T, H·A]`.
    pub y: BufferId,
    /// S, positions that a sequence has at most.
    pub n_positions: usize,
    /// Factor of the scores.
    pub scale: f32,
    /// Bound of the scores.
    pub softcap: Option<f32>,
    /// Positions that a token sees at most, its own among them; `None` for all.
    pub window: Option<u32>,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        let [q, keys, values] = [0, 1, 2].map(|i| io.inputs[i]);
        let softcap = (params.softcap > 0.0).then_some(params.softcap);
        let window = (params.window < u32::MAX).then_some(params.window);
        let n_positions = params.n_positions as usize;
        Self { q, keys, values, y: io.outputs[0], n_positions, scale: params.scale, softcap, window }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, query heads that are no multiple of the key/value heads, a bound that is no number above 0,
    /// or an empty window.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { q, keys, values, y, n_positions, scale, softcap, window } = self;
        let Cache { n_kv_heads, head_size, table } = Cache::of(declared, NAME, [keys, values])?;
        let n_heads = declared.shape(q).n_columns() / head_size;
        if !n_heads.is_multiple_of(n_kv_heads) {
            let what = format!("{n_heads} query heads are no multiple of {n_kv_heads} key/value heads");
            return Err(PlanError::Parameter { op: NAME, what });
        }
        if let Some(cap) = softcap {
            expect_positive(NAME, "bound", cap)?;
        }
        if window == Some(0) {
            return Err(PlanError::Parameter { op: NAME, what: "a window of no positions".to_owned() });
        }
        declared.expect_activations(NAME, q, [declared.n_tokens(), n_heads * head_size])?;
        declared.expect_activations(NAME, y, [declared.n_tokens(), n_heads * head_size])?;
        let params = Params {
            n_heads: n_heads as u32,
            n_kv_heads: n_kv_heads as u32,
            head_size: head_size as u32,
            n_positions: n_positions as u32,
            scale,
            softcap: softcap.unwrap_or(0.0),
            window: window.unwrap_or(u32::MAX),
            table,
        };
        Ok(Recorded { params, inputs: vec![q, keys, values], outputs: vec![y] })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn n_positions(&self) -> Option<usize> {
        Some(self.n_positions as usize)
    }

    fn window(&self) -> Option<Window> {
        Some(self.seen())
    }

    fn tolerance(&self, io: Io<'_>, _buffers: &[Buffer], output: BufferId) -> Option<Tolerance> {
        // What else it writes is room for its kernels.
        (io.outputs.first() == Some(&output)).then_some(F32_EXP)
    }

    fn work(&self, run: &Counted<'_>) -> Work {
        let n_seen = run.position + run.n_tokens;
        let n_pairs: usize = (run.position..n_seen).map(|p| p + 1 - self.first_seen(p)).sum();
        Work {
            sizes: format!("over {n_seen}"),
            n_bytes: cached_bytes(run, &run.io.inputs[1..3], n_seen),
            n_flops: 4 * n_pairs * (self.n_heads * self.head_size) as usize,
        }
    }
}
