//! Causal attention of this call's queries over the cache, `H / K` query heads sharing one key/value head.
//!
//! For the token at position `p` and query head `h` with key/value head `g = h / (H / K)`:
//! `a[s] = softmax over s ≤ p of (q · keys[g, s] · scale)`, `y = Σₛ a[s] · values[g, s]`.
//!
//! Source: Vaswani et al., arXiv 1706.03762; grouped queries: Ainslie et al., arXiv 2305.13245. Inputs: `q [T, H·A]`,
//! `keys [K, S, A]`, `values [K, S, A]`. Outputs: `y [T, H·A]`.

use bytemuck::{Pod, Zeroable};

use crate::{BufferId, Op, PlanError, Recorder, Step};

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
    /// S, positions that the cache holds.
    pub capacity: u32,
    /// Factor of the scores, usually 1/√A.
    pub scale: f32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, H·A]`.
    pub q: BufferId,
    /// `[K, S, A]`, f32 or f16.
    pub keys: BufferId,
    /// `[K, S, A]`, f32 or f16.
    pub values: BufferId,
    /// `[T, H·A]`.
    pub y: BufferId,
    /// Factor of the scores.
    pub scale: f32,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(step: &Step, params: &Params) -> Self {
        let [q, keys, values] = [0, 1, 2].map(|i| step.inputs[i]);
        Self { q, keys, values, y: step.outputs[0], scale: params.scale }
    }
}

impl Recorder {
    /// Appends the op.
    ///
    /// # Errors
    /// Shapes that do not fit together, or query heads that are no multiple of the key/value heads.
    pub fn attention(&mut self, args: Args) -> Result<(), PlanError> {
        let Args { q, keys, values, y, scale } = args;
        let [n_kv_heads, capacity, head_size] = self.cache_dims(NAME, keys)?;
        let n_heads = self.shape(q).n_columns() / head_size;
        if !n_heads.is_multiple_of(n_kv_heads) {
            let what = format!("{n_heads} query heads are no multiple of {n_kv_heads} key/value heads");
            return Err(PlanError::Parameter { op: NAME, what });
        }
        self.expect(NAME, q, &[self.n_tokens(), n_heads * head_size])?;
        self.expect(NAME, values, &[n_kv_heads, capacity, head_size])?;
        self.expect(NAME, y, &[self.n_tokens(), n_heads * head_size])?;
        let params = Params {
            n_heads: n_heads as u32,
            n_kv_heads: n_kv_heads as u32,
            head_size: head_size as u32,
            capacity: capacity as u32,
            scale,
        };
        self.push(Op::Attention(params), vec![q, keys, values], vec![y]);
        Ok(())
    }
}
