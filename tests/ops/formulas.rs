//! What several ops' formulas share, in f64 throughout.

use hala_plan::ops::gate::Activation;
use hala_tensor::Tensor;

/// What a gate of `z` is.
pub(crate) fn act(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Silu => z / (1.0 + (-z).exp()),
        Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
        Activation::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (z + 0.044715 * z.powi(3));
            z / 2.0 * (1.0 + inner.tanh())
        }
    }
}

/// `weight · x / √(mean(x²) + eps)`
pub(crate) fn rms_norm(x: &[f64], weight: &[f32], eps: f32) -> Vec<f64> {
    let mean = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
    let root = (mean + f64::from(eps)).sqrt();
    x.iter().zip(weight).map(|(x, w)| f64::from(*w) * x / root).collect()
}

/// `x · Wᵀ` for one row of `x`.
pub(crate) fn project(x: &[f64], weight: &[f32]) -> Vec<f64> {
    weight.chunks_exact(x.len()).map(|w| w.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum()).collect()
}

/// The rows of a table that the ids name.
pub(crate) fn gather(table: &Tensor, ids: &[u32]) -> Vec<Vec<f64>> {
    let n = table.shape().n_columns();
    let values = table.to_f32();
    ids.iter().map(|id| widen(&values[*id as usize * n..][..n])).collect()
}

/// f32 to f64.
pub(crate) fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}
