//! The gradient of the gated convolution inside each document, sums in f64.

use hala_plan::ops::training::convolve_backward::Params;

use super::packed_convolve::{Channel, Inputs};

/// What is written: `dprojected [T, 3D]`; added to: `dtaps [D, n_taps]`, `dbias [D]`.
#[derive(Debug)]
pub(crate) struct Outputs<'a> {
    pub(crate) dprojected: &'a mut [f32],
    pub(crate) dtaps: &'a mut [f32],
    pub(crate) dbias: Option<&'a mut [f32]>,
}

/// `dy [T, D]`
pub(crate) fn run(params: &Params, inputs: Inputs<'_>, dy: &[f32], outputs: Outputs<'_>) {
    let Outputs { dprojected, dtaps, mut dbias } = outputs;
    let (width, n_taps) = (params.width as usize, params.n_taps as usize);
    for d in 0..width {
        let (mut taps, mut bias) = (vec![0.0f64; n_taps], 0.0f64);
        for document in inputs.rows.documents() {
            let channel = Channel { params, inputs: &inputs, first: document.start, d };
            let dv: Vec<f64> = document
                .clone()
                .map(|t| f64::from(dy[t * width + d]) * f64::from(channel.part(t, 1)))
                .collect();
            let mut du = vec![0.0f64; document.len()];
            for (t, dv) in document.clone().zip(&dv) {
                for (k, tap) in taps.iter_mut().enumerate() {
                    let Some(s) = channel.seen(t, k) else { continue };
                    *tap += dv * channel.u(s);
                    du[s - document.start] += channel.tap(k) * dv;
                }
                bias += dv;
            }
            for (t, du) in document.zip(du) {
                let at = |part: usize| (3 * t + part) * width + d;
                let [b, x] = [0, 2].map(|part| f64::from(channel.part(t, part)));
                dprojected[at(0)] = (du * x) as f32;
                dprojected[at(1)] = (f64::from(dy[t * width + d]) * channel.convolved(t)) as f32;
                dprojected[at(2)] = (du * b) as f32;
            }
        }
        for (sum, found) in dtaps[d * n_taps..].iter_mut().zip(taps) {
            *sum = (f64::from(*sum) + found) as f32;
        }
        if let Some(dbias) = &mut dbias {
            dbias[d] = (f64::from(dbias[d]) + bias) as f32;
        }
    }
}
