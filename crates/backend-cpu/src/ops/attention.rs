//! Causal attention over the cache, one query head at a time, scores and sums in f64.

use hala_plan::ops::attention::Params;

use super::Cell;

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a, C> {
    /// `[T, H·A]`
    pub(crate) q: &'a [f32],
    /// `[K, S, A]`
    pub(crate) keys: &'a [C],
    /// `[K, S, A]`
    pub(crate) values: &'a [C],
    /// Position of the first token.
    pub(crate) position: usize,
}

/// `y [T, H·A]`
pub(crate) fn run<C: Cell>(params: &Params, inputs: Inputs<'_, C>, y: &mut [f32]) {
    let [n_heads, n_kv_heads, head_size, capacity] =
        [params.n_heads, params.n_kv_heads, params.head_size, params.capacity].map(|n| n as usize);
    let per_group = n_heads / n_kv_heads;
    let heads = inputs.q.chunks_exact(head_size).zip(y.chunks_exact_mut(head_size));
    for (i, (q, y)) in heads.enumerate() {
        let (t, h) = (i / n_heads, i % n_heads);
        let position = inputs.position + t;
        let seen = params.first_seen(position) * head_size..(position + 1) * head_size;
        let group = (h / per_group) * capacity * head_size..;
        let keys = &inputs.keys[group.clone()][seen.clone()];
        let values = &inputs.values[group][seen];
        attend(q, keys, values, params, y);
    }
}

/// One query `[A]` over `keys` and `values [n, A]`.
fn attend<C: Cell>(q: &[f32], keys: &[C], values: &[C], params: &Params, y: &mut [f32]) {
    let head_size = q.len();
    let dot = |k: &[C]| k.iter().zip(q).map(|(k, q)| f64::from(k.value()) * f64::from(*q)).sum::<f64>();
    let (scale, cap) = (f64::from(params.scale), f64::from(params.softcap));
    let capped = |score: f64| if cap > 0.0 { cap * (score / cap).tanh() } else { score };
    let scores: Vec<f64> = keys.chunks_exact(head_size).map(|k| capped(dot(k) * scale)).collect();
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = scores.iter().map(|s| (s - max).exp()).collect();
    let total: f64 = weights.iter().sum();
    for (d, y) in y.iter_mut().enumerate() {
        let values = values[d..].iter().step_by(head_size);
        let sum: f64 = values.zip(&weights).map(|(v, w)| f64::from(v.value()) * w).sum();
        *y = (sum / total) as f32;
    }
}
