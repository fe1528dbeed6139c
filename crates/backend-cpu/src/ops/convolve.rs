//! The gated convolution: gate, convolve with the carried inputs, gate again.

use hala_plan::Span;
use hala_plan::ops::convolve::Params;

use super::dot;

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `[T, 3D]`
    pub(crate) projected: &'a [f32],
    /// `[D, n_taps]`
    pub(crate) taps: &'a [f32],
    /// `[D]`
    pub(crate) bias: Option<&'a [f32]>,
}

/// What is written: slots of the carried inputs `[n_taps − 1, D]`, and `[T, D]`.
#[derive(Debug)]
pub(crate) struct Outputs<'a> {
    pub(crate) slots: &'a mut [f32],
    pub(crate) y: &'a mut [f32],
}

/// Convolves each sequence's rows.
pub(crate) fn run(params: &Params, inputs: Inputs<'_>, spans: &[Span<'_>], outputs: Outputs<'_>) {
    let Outputs { slots, y } = outputs;
    let (width, n_kept) = (params.width as usize, params.n_taps as usize - 1);
    let (mut projected, mut y) = (inputs.projected, y);
    for span in spans {
        let (own, later) = projected.split_at(span.n_rows * 3 * width);
        let (own_y, later_y) = y.split_at_mut(span.n_rows * width);
        let state = &mut slots[span.slot as usize * n_kept * width..][..n_kept * width];
        one(params, Inputs { projected: own, ..inputs }, state, own_y);
        (projected, y) = (later, later_y);
    }
}

/// The rows of one sequence: `projected [T, 3D]` in, `y [T, D]` out; `state [n_taps − 1, D]` is carried, oldest first.
fn one(params: &Params, inputs: Inputs<'_>, state: &mut [f32], y: &mut [f32]) {
    let Inputs { projected, taps, bias } = inputs;
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
        let bias = bias.map_or(0.0, |bias| f64::from(bias[d]));
        for t in 0..n_tokens {
            let sum = dot(&u[t..t + n_taps], &taps[d * n_taps..][..n_taps]);
            let c = projected[t * 3 * width + width + d];
            y[t * width + d] = (f64::from(c) * (sum + bias)) as f32;
        }
        for (i, u) in u[n_tokens..].iter().enumerate() {
            state[i * width + d] = *u;
        }
    }
}
