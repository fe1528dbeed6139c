//! The gradient of `y = act(a) ⊙ b`, in f64.

use hala_plan::ops::gate::Activation;
use hala_plan::ops::training::gate_backward::Params;

/// `[a, b, dy]` and `[da, db]`, all `[T, F]`
pub(crate) fn run(params: &Params, [a, b, dy]: [&[f32]; 3], [da, db]: [&mut [f32]; 2]) {
    for (i, (da, db)) in da.iter_mut().zip(db).enumerate() {
        let [a, b, dy] = [a[i], b[i], dy[i]].map(f64::from);
        let (value, slope) = activation(params.activation, a);
        *da = (dy * b * slope) as f32;
        *db = (dy * value) as f32;
    }
}

/// What a gate passes through, with its derivative.
fn activation(activation: Activation, z: f64) -> (f64, f64) {
    let share = 1.0 / (1.0 + (-z).exp());
    match activation {
        Activation::Silu => (z * share, share * (1.0 + z * (1.0 - share))),
        Activation::Sigmoid => (share, share * (1.0 - share)),
        Activation::GeluTanh => {
            let factor = (2.0 / std::f64::consts::PI).sqrt();
            let tanh = (factor * (z + 0.044715 * z.powi(3))).tanh();
            let inner = factor * (1.0 + 3.0 * 0.044715 * z * z);
            (z / 2.0 * (1.0 + tanh), 0.5 * (1.0 + tanh) + 0.5 * z * (1.0 - tanh * tanh) * inner)
        }
    }
}
