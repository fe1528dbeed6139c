//! The gated short convolution: project, then convolve.

use hala_plan::Span;
use hala_plan::ops::short_conv::Params;
use hala_plan::ops::{convolve as convolved, matmul};
use hala_tensor::Tensor;

use super::convolve;

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `[T, D]`
    pub(crate) x: &'a [f32],
    /// `[D]`
    pub(crate) norm: Option<&'a [f32]>,
    /// `[3D, D]`
    pub(crate) in_proj: &'a Tensor,
    /// `[D, n_taps]`
    pub(crate) taps: &'a [f32],
    /// `[3D]` and `[D]`
    pub(crate) bias: Option<(&'a [f32], &'a [f32])>,
}

/// The projection's sizes, in the words of the op that computes it.
pub(crate) fn projection(params: &Params) -> matmul::Params {
    matmul::Params {
        n_in: params.width,
        n_out: [3 * params.width, 0, 0],
        norm: params.norm,
        eps: params.eps,
        bias: params.bias,
        add: 0,
    }
}

/// The convolution's sizes, in the words of the op that computes it.
pub(crate) fn convolution(params: &Params) -> convolved::Params {
    convolved::Params { width: params.width, n_taps: params.n_taps, bias: params.bias }
}

/// What is written: slots of the carried inputs `[n_taps − 1, D]`, `[B, C, X]` as `[T, 3D]`, and `[T, D]`.
#[derive(Debug)]
pub(crate) struct Outputs<'a> {
    pub(crate) slots: &'a mut [f32],
    pub(crate) projected: &'a mut [f32],
    pub(crate) y: &'a mut [f32],
}

/// Projects all rows, then convolves each sequence's.
pub(crate) fn run(params: &Params, inputs: Inputs<'_>, spans: &[Span<'_>], outputs: Outputs<'_>) {
    let Outputs { slots, projected, y } = outputs;
    let matmul = super::matmul::Inputs {
        x: inputs.x,
        norm: inputs.norm,
        weights: [Some(inputs.in_proj), None, None],
        bias: inputs.bias.map(|(in_proj, _)| in_proj),
    };
    super::matmul::run(&projection(params), matmul, projected);
    let inputs = convolve::Inputs { projected, taps: inputs.taps, bias: inputs.bias.map(|(_, conv)| conv) };
    convolve::run(&convolution(params), inputs, spans, convolve::Outputs { slots, y });
}
