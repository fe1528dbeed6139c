//! `y = N(x)`, or `y += N(x)`: an RMS or a layer norm, sums in f64.

use hala_plan::ops::norm::Params;

/// `x [T, D]`, `weight [D]`, `y [T, D]`
pub(crate) fn run(params: &Params, x: &[f32], weight: &[f32], y: &mut [f32]) {
    let width = params.width as usize;
    for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
        let sum: f64 = x.iter().copied().map(f64::from).sum();
        let mean = if params.layer == 1 { sum / width as f64 } else { 0.0 };
        let squares: f64 = x.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum();
        let root = (squares / width as f64 + f64::from(params.eps)).sqrt();
        for ((x, w), y) in x.iter().zip(weight).zip(y) {
            let before = if params.add == 1 { f64::from(*y) } else { 0.0 };
            *y = (before + f64::from(*w) * (f64::from(*x) - mean) / root) as f32;
        }
    }
}
