//! The gated short convolution: project, gate, convolve with the carried inputs, gate again.

use hala_plan::Span;
use hala_plan::ops::{matmul, short_conv::Params};
use hala_tensor::Tensor;

use super::dot;

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
    let (width, n_kept) = (params.width as usize, params.n_taps as usize - 1);
    let (mut projected, mut y) = (&*projected, y);
    for span in spans {
        let (own, later) = projected.split_at(span.n_rows * 3 * width);
        let (own_y, later_y) = y.split_at_mut(span.n_rows * width);
        let state = &mut slots[span.slot as usize * n_kept * width..][..n_kept * width];
        convolve(params, inputs, own, state, own_y);
        (projected, y) = (later, later_y);
    }
}

/// The rows of one sequence: `projected [T, 3D]` in, `y [T, D]` out; `state [n_taps − 1, D]` is carried, oldest first.
fn convolve(params: &Params, inputs: Inputs<'_>, projected: &[f32], state: &mut [f32], y: &mut [f32]) {
    let (width, n_taps) = (params.width as usize, params.n_taps as usize);
    let n_tokens = y.len() / width;
    // One channel's u: of the carried tokens, then of this call's.
    let mut u = vec![0.0; n_taps - 1 + n_tokens];
    for d in 0..width {
        for (i, u) in u.iter_mut().enumerate() {
            let row = |t: usize| &projected[t * 3 * width..];
            *u = match i.checked_sub(n_taps - 1) {
                None => state[i * width + d],
                Some(t) => row(t)[d] * row(t)[2 * width + d],
            };
        }
        let bias = inputs.bias.map_or(0.0, |(_, conv)| f64::from(conv[d]));
        for t in 0..n_tokens {
            let sum = dot(&u[t..t + n_taps], &inputs.taps[d * n_taps..][..n_taps]);
            let c = projected[t * 3 * width + width + d];
            y[t * width + d] = (f64::from(c) * (sum + bias)) as f32;
        }
        for (i, u) in u[n_tokens..].iter().enumerate() {
            state[i * width + d] = *u;
        }
    }
}
