//! `[da, db, dc] = dy`, row by row.

use hala_plan::ops::training::concat_backward::Params;

/// `dy [T, ΣI]`, `parts [T, Iᵢ]`
pub(crate) fn run(params: &Params, dy: &[f32], parts: &mut [&mut [f32]]) {
    let total: usize = params.n_columns.iter().map(|n| *n as usize).sum();
    for (t, mut dy) in dy.chunks_exact(total).enumerate() {
        for (part, n) in parts.iter_mut().zip(params.n_columns) {
            let (own, rest) = dy.split_at(n as usize);
            part[t * n as usize..][..n as usize].copy_from_slice(own);
            dy = rest;
        }
    }
}
