//! Norm and rotation of each query and key head; keys and values into the cache.

use hala_plan::ops::rope_kv::Params;

use super::{Cell, rms_norm};

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `[T, (H + 2K)·A]`
    pub(crate) qkv: &'a [f32],
    /// `[A]`
    pub(crate) q_norm: &'a [f32],
    /// `[A]`
    pub(crate) k_norm: &'a [f32],
    /// `[S, A]`
    pub(crate) rope: &'a [f32],
    /// Position of the first token.
    pub(crate) position: usize,
}

/// `q [T, H·A]`, `keys` and `values [K, S, A]`
pub(crate) fn run<C: Cell>(
    params: &Params,
    inputs: Inputs<'_>,
    q: &mut [f32],
    keys: &mut [C],
    values: &mut [C],
) {
    let [n_heads, n_kv_heads, head_size, capacity] =
        [params.n_heads, params.n_kv_heads, params.head_size, params.capacity].map(|n| n as usize);
    let width = (n_heads + 2 * n_kv_heads) * head_size;
    let mut head = vec![0.0; head_size];
    for (t, (row, q)) in
        inputs.qkv.chunks_exact(width).zip(q.chunks_exact_mut(n_heads * head_size)).enumerate()
    {
        let position = inputs.position + t;
        let angles = &inputs.rope[position * head_size..][..head_size];
        let mut heads = row.chunks_exact(head_size);
        for (q, h) in q.chunks_exact_mut(head_size).zip(&mut heads) {
            rms_norm(h, inputs.q_norm, params.eps, q);
            rotate(q, angles);
        }
        for (k, h) in heads.by_ref().take(n_kv_heads).enumerate() {
            rms_norm(h, inputs.k_norm, params.eps, &mut head);
            rotate(&mut head, angles);
            store(&head, &mut keys[(k * capacity + position) * head_size..][..head_size]);
        }
        for (k, h) in heads.enumerate() {
            store(h, &mut values[(k * capacity + position) * head_size..][..head_size]);
        }
    }
}

/// Turns the pairs `(i, i + A/2)` by the angles whose cosines and sines are given.
pub(crate) fn rotate(head: &mut [f32], angles: &[f32]) {
    let half = head.len() / 2;
    let (low, high) = head.split_at_mut(half);
    let (cos, sin) = angles.split_at(half);
    for ((low, high), (c, s)) in low.iter_mut().zip(high).zip(cos.iter().zip(sin)) {
        (*low, *high) = (*low * c - *high * s, *high * c + *low * s);
    }
}

fn store<C: Cell>(from: &[f32], to: &mut [C]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = C::from_value(*from);
    }
}
