//! `dW += dyᵀ · x`, `db += Σₜ dy[t]`, sums in f64.

use hala_plan::ops::training::matmul_backward_weight::Params;

/// `dy [T, O]`, `x [T, I]`, `dw [O, I]`, `db [O]`
pub(crate) fn run(params: &Params, [dy, x]: [&[f32]; 2], dw: &mut [f32], db: Option<&mut [f32]>) {
    let (n_in, n_out) = (params.n_in as usize, params.n_out as usize);
    let mut sums = vec![0.0f64; n_in];
    for (o, dw) in dw.chunks_exact_mut(n_in).enumerate() {
        sums.iter_mut().zip(&*dw).for_each(|(sum, dw)| *sum = f64::from(*dw));
        for (dy, x) in dy.chunks_exact(n_out).zip(x.chunks_exact(n_in)) {
            let dy = f64::from(dy[o]);
            sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += dy * f64::from(*x));
        }
        dw.iter_mut().zip(&sums).for_each(|(dw, sum)| *dw = *sum as f32);
    }
    for (o, db) in db.into_iter().flatten().enumerate() {
        let sum: f64 = dy.chunks_exact(n_out).map(|dy| f64::from(dy[o])).sum();
        *db = (f64::from(*db) + sum) as f32;
    }
}
