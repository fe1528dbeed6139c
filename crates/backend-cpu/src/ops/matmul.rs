//! `y = x̂ · Wᵀ + b`, or added to `y`; one decoded row of W at a time, sums in f64.

use hala_plan::ops::matmul::Params;
use hala_tensor::Tensor;

use super::{dot, rms_norm};

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `[T, I]`
    pub(crate) x: &'a [f32],
    /// `[I]`
    pub(crate) norm: Option<&'a [f32]>,
    /// Up to three `[Oᵢ, I]`; `None` past the last.
    pub(crate) weights: [Option<&'a Tensor>; 3],
    /// `[ΣO]`
    pub(crate) bias: Option<&'a [f32]>,
}

/// `y [T, ΣO]`
pub(crate) fn run(params: &Params, inputs: Inputs<'_>, y: &mut [f32]) {
    let x = normed(params, inputs);
    let (n_in, n_out) = (params.n_in as usize, params.n_out_total());
    let mut row = vec![0.0; n_in];
    let mut o = 0;
    for weight in inputs.weights.into_iter().flatten() {
        for r in 0..weight.shape().n_rows() {
            weight.row(r, &mut row);
            for (x, y) in x.chunks_exact(n_in).zip(y.chunks_exact_mut(n_out)) {
                let bias = inputs.bias.map_or(0.0, |b| f64::from(b[o]));
                let before = if params.add == 1 { f64::from(y[o]) } else { 0.0 };
                y[o] = (before + bias + dot(x, &row)) as f32;
            }
            o += 1;
        }
    }
}

/// `x [T, I]`, normalised where the op says so.
fn normed(params: &Params, inputs: Inputs<'_>) -> Vec<f32> {
    let n_in = params.n_in as usize;
    let mut x = inputs.x.to_vec();
    if let Some(weight) = inputs.norm {
        for (out, x) in x.chunks_exact_mut(n_in).zip(inputs.x.chunks_exact(n_in)) {
            rms_norm(x, weight, params.eps, out);
        }
    }
    x
}
