//! The gated convolution inside each document, sums in f64.

use hala_plan::ops::training::packed_convolve::Params;
use hala_plan::training::TrainRows;

/// What the op reads: `projected [T, 3D]`, `taps [D, n_taps]`, `bias [D]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) projected: &'a [f32],
    pub(crate) taps: &'a [f32],
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) rows: TrainRows<'a>,
}

/// `y [T, D]`
pub(crate) fn run(params: &Params, inputs: Inputs<'_>, y: &mut [f32]) {
    let width = params.width as usize;
    for document in inputs.rows.documents() {
        for d in 0..width {
            let channel = Channel { params, inputs: &inputs, first: document.start, d };
            for t in document.clone() {
                y[t * width + d] = (f64::from(channel.part(t, 1)) * channel.convolved(t)) as f32;
            }
        }
    }
}

/// One channel of a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channel<'a> {
    pub(super) params: &'a Params,
    pub(super) inputs: &'a Inputs<'a>,
    /// The document's first row.
    pub(super) first: usize,
    pub(super) d: usize,
}

impl Channel<'_> {
    /// B, C or X of row `t`.
    pub(super) fn part(&self, t: usize, part: usize) -> f32 {
        let width = self.params.width as usize;
        self.inputs.projected[(3 * t + part) * width + self.d]
    }

    /// `u = B ⊙ X`
    pub(super) fn u(&self, t: usize) -> f64 {
        f64::from(self.part(t, 0)) * f64::from(self.part(t, 2))
    }

    /// `taps[k]`
    pub(super) fn tap(&self, k: usize) -> f64 {
        f64::from(self.inputs.taps[self.d * self.params.n_taps as usize + k])
    }

    /// The row that tap `k` sees from row `t`, where the document has it.
    pub(super) fn seen(&self, t: usize, k: usize) -> Option<usize> {
        (t + k + 1).checked_sub(self.params.n_taps as usize).filter(|s| *s >= self.first)
    }

    /// `v[t]`
    pub(super) fn convolved(&self, t: usize) -> f64 {
        let bias = self.inputs.bias.map_or(0.0, |bias| f64::from(bias[self.d]));
        let tap = |k| self.seen(t, k).map_or(0.0, |s| self.tap(k) * self.u(s));
        (0..self.params.n_taps as usize).map(tap).sum::<f64>() + bias
    }
}
