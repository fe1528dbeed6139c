//! Queries and keys are normalised head by head and rotated; keys and values go into the cache.
//!
//! For each head, `z = w · h / √(mean(h²) + ε)`, then with `c, s` the row of `rope` at the token's position and `A/2`
//! apart: `z'[i] = z[i]·c[i] − z[i + A/2]·s[i]`, `z'[i + A/2] = z[i + A/2]·c[i] + z[i]·s[i]`. Values are copied as they are.
//!
//! Source: Su et al., "RoFormer", arXiv 2104.09864, in the rotate-half form of transformers. Inputs:
//! `qkv [T, (H + 2K)·A]`, `q_norm [A]`, `k_norm [A]`, `rope [S, A]` (cosines in the first half of a row, sines in the
//! second). Outputs: `q [T, H·A]`, `keys [K, S, A]`, `values [K, S, A]`, of which only this call's positions are written.

use bytemuck::{Pod, Zeroable};
use hala_tensor::DType;

use crate::{BufferId, Op, PlanError, Recorder, Step};

/// The op's name.
pub const NAME: &str = "rope_kv";

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
    /// ε of both norms.
    pub eps: f32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, (H + 2K)·A]`: queries, keys, values.
    pub qkv: BufferId,
    /// `[A]`, f32.
    pub q_norm: BufferId,
    /// `[A]`, f32.
    pub k_norm: BufferId,
    /// ε of both norms.
    pub eps: f32,
    /// `[S, A]`, f32.
    pub rope: BufferId,
    /// `[T, H·A]`.
    pub q: BufferId,
    /// `[K, S, A]`, f32 or f16.
    pub keys: BufferId,
    /// `[K, S, A]`, f32 or f16.
    pub values: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(step: &Step, params: &Params) -> Self {
        let [qkv, q_norm, k_norm, rope] = [0, 1, 2, 3].map(|i| step.inputs[i]);
        let [q, keys, values] = [0, 1, 2].map(|i| step.outputs[i]);
        Self { qkv, q_norm, k_norm, eps: params.eps, rope, q, keys, values }
    }
}

impl Recorder {
    /// Appends the op.
    ///
    /// # Errors
    /// Shapes that do not fit together, an odd head size, or a cache that is neither f32 nor f16.
    pub fn rope_kv(&mut self, args: Args) -> Result<(), PlanError> {
        let Args { qkv, q_norm, k_norm, eps, rope, q, keys, values } = args;
        let t = self.n_tokens();
        let [n_kv_heads, capacity, head_size] = self.cache_dims(NAME, keys)?;
        let n_heads = self.shape(q).n_columns() / head_size;
        if !head_size.is_multiple_of(2) {
            let what = format!("a head size of {head_size}, and it must be even");
            return Err(PlanError::Parameter { op: NAME, what });
        }
        self.expect(NAME, q, &[t, n_heads * head_size])?;
        self.expect(NAME, qkv, &[t, (n_heads + 2 * n_kv_heads) * head_size])?;
        self.expect(NAME, values, &[n_kv_heads, capacity, head_size])?;
        self.expect(NAME, rope, &[capacity, head_size])?;
        for norm in [q_norm, k_norm] {
            self.expect(NAME, norm, &[head_size])?;
        }
        let params = Params {
            n_heads: n_heads as u32,
            n_kv_heads: n_kv_heads as u32,
            head_size: head_size as u32,
            capacity: capacity as u32,
            eps,
        };
        self.push(Op::RopeKv(params), vec![qkv, q_norm, k_norm, rope], vec![q, keys, values]);
        Ok(())
    }

    /// `[K, S, A]` of a cache buffer.
    pub(super) fn cache_dims(&self, op: &'static str, id: BufferId) -> Result<[usize; 3], PlanError> {
        self.expect_dtype(op, id, "f32 or f16", |d| matches!(d, DType::F32 | DType::F16))?;
        let buffer = self.buffer(id);
        match *buffer.shape.dims() {
            [n_kv_heads, capacity, head_size] if buffer.shape.n_elements() > 0 => {
                Ok([n_kv_heads, capacity, head_size])
            }
            _ => Err(PlanError::Shape {
                op,
                label: buffer.label.clone(),
                found: buffer.shape,
                expected: "[K, S, A], none of them 0".to_owned(),
            }),
        }
    }
}
