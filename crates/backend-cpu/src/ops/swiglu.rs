//! `y = act(x̂ · W₁ᵀ) ⊙ (x̂ · W₃ᵀ)`, sums and activation in f64.

use hala_plan::ops::swiglu::Params;
use hala_tensor::Tensor;

use super::gate::activation;
use super::{dot, rms_norm};

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `[T, D]`
    pub(crate) x: &'a [f32],
    /// `[D]`
    pub(crate) norm: Option<&'a [f32]>,
    /// `[F, D]`
    pub(crate) w1: &'a Tensor,
    /// `[F, D]`
    pub(crate) w3: &'a Tensor,
}

/// `y [T, F]`
pub(crate) fn run(params: &Params, inputs: Inputs<'_>, y: &mut [f32]) {
    let (n_in, n_out) = (params.n_in as usize, params.n_out as usize);
    let mut x = inputs.x.to_vec();
    if let Some(weight) = inputs.norm {
        for (out, x) in x.chunks_exact_mut(n_in).zip(inputs.x.chunks_exact(n_in)) {
            rms_norm(x, weight, params.eps, out);
        }
    }
    let activation = activation(params.gelu);
    let (mut gate, mut up) = (vec![0.0; n_in], vec![0.0; n_in]);
    for o in 0..n_out {
        inputs.w1.row(o, &mut gate);
        inputs.w3.row(o, &mut up);
        for (x, y) in x.chunks_exact(n_in).zip(y.chunks_exact_mut(n_out)) {
            let z = dot(x, &gate);
            y[o] = (activation(z) * dot(x, &up)) as f32;
        }
    }
}
