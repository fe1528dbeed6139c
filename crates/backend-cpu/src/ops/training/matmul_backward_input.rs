//! `dx = dy · W`, or `dx += dy · W`, sums in f64.

use hala_plan::ops::training::matmul_backward_input::Params;

/// `dy [T, O]`, `w [O, I]`, `dx [T, I]`
pub(crate) fn run(params: &Params, dy: &[f32], w: &[f32], dx: &mut [f32]) {
    let (n_in, n_out) = (params.n_in as usize, params.n_out as usize);
    let mut sums = vec![0.0f64; n_in];
    for (dy, dx) in dy.chunks_exact(n_out).zip(dx.chunks_exact_mut(n_in)) {
        for (sum, dx) in sums.iter_mut().zip(&*dx) {
            *sum = if params.add == 1 { f64::from(*dx) } else { 0.0 };
        }
        for (dy, w) in dy.iter().zip(w.chunks_exact(n_in)) {
            sums.iter_mut().zip(w).for_each(|(sum, w)| *sum += f64::from(*dy) * f64::from(*w));
        }
        dx.iter_mut().zip(&sums).for_each(|(dx, sum)| *dx = *sum as f32);
    }
}
