//! `y = act(a) ⊙ b`, in f64.

use hala_plan::ops::gate::{Activation, Params};

/// `a [T, F / n_each]`, `b [T, F]`, `y [T, F]`
pub(crate) fn run(params: &Params, a: &[f32], b: &[f32], y: &mut [f32]) {
    let activation = activation(params.activation);
    for (i, (y, b)) in y.iter_mut().zip(b).enumerate() {
        *y = (activation(f64::from(a[i / params.n_each as usize])) * f64::from(*b)) as f32;
    }
}

/// What gates pass through, by its code.
pub(crate) fn activation(code: u32) -> fn(f64) -> f64 {
    match Activation::of_code(code) {
        Activation::Silu => silu,
        Activation::GeluTanh => gelu,
        Activation::Sigmoid => sigmoid,
    }
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

fn silu(z: f64) -> f64 {
    z / (1.0 + (-z).exp())
}

fn gelu(z: f64) -> f64 {
    let inner = (2.0 / std::f64::consts::PI).sqrt() * (z + 0.044715 * z * z * z);
    z / 2.0 * (1.0 + inner.tanh())
}
