//! Ops of inference on parameters, which lie in one flat buffer of f32.

use super::super::dot;

/// `y[t] = table[ids[t]] · scale`: `table [V, D]`, `y [T, D]`
pub(crate) fn embed(width: usize, scale: f32, (ids, table): (&[u32], &[f32]), y: &mut [f32]) {
    for (id, y) in ids.iter().zip(y.chunks_exact_mut(width)) {
        let row = &table[*id as usize * width..][..width];
        y.iter_mut().zip(row).for_each(|(y, x)| *y = x * scale);
    }
}

/// `y = x · Wᵀ + b`: `x [T, I]`, `w [O, I]`, `bias [O]`, `y [T, O]`
pub(crate) fn product(n_in: usize, [x, w]: [&[f32]; 2], bias: Option<&[f32]>, y: &mut [f32]) {
    let n_out = w.len() / n_in;
    for (x, y) in x.chunks_exact(n_in).zip(y.chunks_exact_mut(n_out)) {
        for (o, (w, y)) in w.chunks_exact(n_in).zip(y).enumerate() {
            *y = (dot(x, w) + bias.map_or(0.0, |bias| f64::from(bias[o]))) as f32;
        }
    }
}
