//! The gradient of attention inside each document, sums in f64.

use hala_plan::ops::training::attention_backward::Params;
use hala_plan::training::TrainRows;

use super::super::dot;
use super::packed_attention::Heads;

/// What the op reads: `turned [T, (H + 2K)·A]`, `y [T, H·A]`, `log_sums [T, H]`, `dy [T, H·A]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) turned: &'a [f32],
    pub(crate) y: &'a [f32],
    pub(crate) log_sums: &'a [f32],
    pub(crate) dy: &'a [f32],
    pub(crate) rows: TrainRows<'a>,
}

/// `dturned [T, (H + 2K)·A]`
pub(crate) fn run(params: &Params, inputs: Inputs<'_>, dturned: &mut [f32]) {
    let heads = Heads { params, turned: inputs.turned };
    let (n_heads, n_kv, size) =
        (params.heads.n_heads as usize, params.heads.n_kv_heads as usize, params.heads.head_size as usize);
    let scale = f64::from(params.scale);
    let mut sums = vec![0.0f64; inputs.turned.len()];
    for document in inputs.rows.documents() {
        for (t, h) in document.clone().flat_map(|t| (0..n_heads).map(move |h| (t, h))) {
            let place = (t * n_heads + h) * size..(t * n_heads + h + 1) * size;
            let (dy, y) = (&inputs.dy[place.clone()], &inputs.y[place]);
            let delta = dot(dy, y);
            for s in document.start..t + 1 {
                let p = (heads.score(t, h, s) - f64::from(inputs.log_sums[t * n_heads + h])).exp();
                let dz = p * (dot(dy, heads.value(h, s)) - delta) * scale;
                let key_idx = heads.key_idx(h);
                let mut add = |start: usize, factor: f64, x: &[f32]| {
                    let sums = &mut sums[start..start + size];
                    sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += factor * f64::from(*x));
                };
                add(heads.start(t, h), dz, heads.key(h, s));
                add(heads.start(s, key_idx), dz, heads.query(t, h));
                add(heads.start(s, key_idx + n_kv), p, dy);
            }
        }
    }
    dturned.iter_mut().zip(sums).for_each(|(dturned, sum)| *dturned = sum as f32);
}
