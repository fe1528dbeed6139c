//! `gate_backward`: every activation.

use hala_plan::ops::gate::Activation;
use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::gate_backward::Args;

use super::alone::Alone;
use super::differences;

fn activate(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Silu => z / (1.0 + (-z).exp()),
        Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
        Activation::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (z + 0.044715 * z.powi(3));
            z / 2.0 * (1.0 + inner.tanh())
        }
    }
}

#[test]
fn gradients_of_gates_and_values_are_those_of_differences() {
    for activation in [Activation::Silu, Activation::GeluTanh, Activation::Sigmoid] {
        for width in [1, 7, 130] {
            let mut op = Alone::new("gate_backward");
            let [a, b, dy] = ["a", "b", "dy"].map(|label| op.input(label, width));
            let [da, db] = ["da", "db"].map(|label| op.output(label, width));
            op.recorder.add(Args { a, b, activation, dy, da, db }, TrainOp::GateBackward).unwrap();
            let [a, b, dy] = [a, b, dy].map(|id| op.wide(id));
            let ran = op.train();
            let f = |x: &[Vec<f64>]| -> Vec<f64> {
                x[0].iter().zip(&x[1]).map(|(a, b)| activate(activation, *a) * b).collect()
            };
            // Each element depends on its own alone, so a few stand for all.
            let few = |x: &[f64]| x[..7.min(x.len())].to_vec();
            let n = few(&dy).len();
            differences::check(f, &[few(&a), few(&b)], &few(&dy), &[&ran.read(da)[..n], &ran.read(db)[..n]]);
            let all = [a.clone(), b.clone()];
            let shifted = |step: f64| f(&[all[0].iter().map(|a| a + step).collect(), all[1].clone()]);
            let slope: Vec<f64> =
                shifted(1e-5).iter().zip(shifted(-1e-5)).map(|(h, l)| (h - l) / 2e-5).collect();
            let expected: Vec<f64> = slope.iter().zip(&dy).map(|(slope, dy)| slope * dy).collect();
            differences::same("the gradient of all gates", ran.read(da), &expected);
        }
    }
}
