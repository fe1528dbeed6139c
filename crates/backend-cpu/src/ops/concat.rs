//! `y = [a, b, c]`, token by token.

use hala_plan::ops::concat::{MAX_PARTS, Params};

/// `parts [T, Iᵢ]`, `y [T, ΣI]`
pub(crate) fn run(params: &Params, parts: [&[f32]; MAX_PARTS], y: &mut [f32]) {
    for (t, mut y) in y.chunks_exact_mut(params.n_total()).enumerate() {
        for (part, n) in parts.iter().zip(params.n_columns).filter(|(_, n)| *n > 0) {
            let (own, rest) = y.split_at_mut(n as usize);
            own.copy_from_slice(&part[t * n as usize..][..n as usize]);
            y = rest;
        }
    }
}
