//! `y = act(a) ⊙ b`, in f64.

use hala_plan::ops::gate::Params;

/// `a [T, F]`, `b [T, F]`, `y [T, F]`
pub(crate) fn run(params: &Params, a: &[f32], b: &[f32], y: &mut [f32]) {
    let activation = activation(params.gelu);
    for (y, (a, b)) in y.iter_mut().zip(a.iter().zip(b)) {
        *y = (activation(f64::from(*a)) * f64::from(*b)) as f32;
    }
}

/// What gates pass through.
pub(crate) fn activation(gelu: u32) -> fn(f64) -> f64 {
    if gelu == 1 { self::gelu } else { silu }
}

fn silu(z: f64) -> f64 {
    z / (1.0 + (-z).exp())
}

fn gelu(z: f64) -> f64 {
    let inner = (2.0 / std::f64::consts::PI).sqrt() * (z + 0.044715 * z * z * z);
    z / 2.0 * (1.0 + inner.tanh())
}
