//! `y[i] = x[wanted[i]]`

use hala_plan::ops::gather::Params;

/// `x [T, D]`, `wanted [W]`, `y [W, D]`; some rows are no work for threads.
pub(crate) fn run(params: &Params, x: &[f32], wanted: &[u32], y: &mut [f32]) {
    let width = params.width as usize;
    for (row, y) in wanted.iter().zip(y.chunks_exact_mut(width)) {
        y.copy_from_slice(&x[*row as usize * width..][..width]);
    }
}
