//! The gated short convolution: project, then convolve.

use hala_plan::Span;
use hala_plan::ops::short_conv::Params;

use super::{Machine, Scratch, convolve, matmul};
use crate::ops::convolve::Outputs as Convolved;
use crate::ops::short_conv::{Outputs, convolution, projection};
use crate::weight::Stored;

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `[T, D]`
    pub(crate) x: &'a [f32],
    /// `[D]`
    pub(crate) norm: Option<&'a [f32]>,
    /// `[3D, D]`
    pub(crate) in_proj: &'a Stored,
    /// `[D, n_taps]`
    pub(crate) taps: &'a [f32],
    /// `[3D]` and `[D]`
    pub(crate) bias: Option<(&'a [f32], &'a [f32])>,
    /// Whose rows they are.
    pub(crate) spans: &'a [Span<'a>],
}

/// Projects all rows, then convolves each sequence's.
pub(crate) fn run(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    inputs: Inputs<'_>,
    outputs: Outputs<'_>,
) {
    let Outputs { slots, projected, y } = outputs;
    let product = matmul::Inputs {
        x: inputs.x,
        norm: inputs.norm,
        weights: [Some(inputs.in_proj), None, None],
        bias: inputs.bias.map(|(in_proj, _)| in_proj),
    };
    matmul::run(machine, scratch, &projection(params), product, projected);
    let inputs = convolve::Inputs {
        projected,
        taps: inputs.taps,
        bias: inputs.bias.map(|(_, conv)| conv),
        spans: inputs.spans,
    };
    convolve::run(machine, scratch, &convolution(params), inputs, Convolved { slots, y });
}
