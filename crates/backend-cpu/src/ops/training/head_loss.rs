//! The head with the cross-entropy of its logits, and its gradient, a row at a time, sums in f64.

use hala_plan::ops::training::head_loss::Params;
use hala_plan::training::{IGNORE, Purpose, TrainRows};

use super::super::dot;

/// What the op reads: `x [T, D]`, `head [V, D]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) head: &'a [f32],
    pub(crate) rows: TrainRows<'a>,
    pub(crate) purpose: Purpose,
}

/// What is written: `losses [T, 1]`, `dx [T, D]`; added to: `dhead [V, D]`.
#[derive(Debug)]
pub(crate) struct Outputs<'a> {
    pub(crate) losses: &'a mut [f32],
    pub(crate) dx: &'a mut [f32],
    pub(crate) dhead: &'a mut [f32],
}

/// Goes through the rows one by one.
pub(crate) fn run(params: &Params, inputs: Inputs<'_>, outputs: Outputs<'_>) {
    let Outputs { losses, dx, dhead } = outputs;
    let width = params.width as usize;
    let mut sums: Vec<f64> = match inputs.purpose {
        Purpose::Train { .. } => dhead.iter().copied().map(f64::from).collect(),
        Purpose::Evaluate => Vec::new(),
    };
    for (t, (x, dx)) in inputs.x.chunks_exact(width).zip(dx.chunks_exact_mut(width)).enumerate() {
        let label = inputs.rows.labels[t];
        dx.fill(0.0);
        losses[t] = 0.0;
        if label == IGNORE {
            continue;
        }
        let logits: Vec<f64> = inputs.head.chunks_exact(width).map(|w| dot(x, w)).collect();
        let smoothing = match inputs.purpose {
            Purpose::Train { .. } => f64::from(params.smoothing),
            Purpose::Evaluate => 0.0,
        };
        let scored = Scored::of(&logits, label as usize, smoothing);
        losses[t] = scored.loss as f32;
        if inputs.purpose == Purpose::Evaluate {
            continue;
        }
        let weight = f64::from(inputs.rows.weights[t]);
        let mut row = vec![0.0f64; width];
        for (v, w) in inputs.head.chunks_exact(width).enumerate() {
            let dz = weight * scored.gradient(&logits, v);
            row.iter_mut().zip(w).for_each(|(sum, w)| *sum += dz * f64::from(*w));
            sums[v * width..].iter_mut().zip(x).for_each(|(sum, x)| *sum += dz * f64::from(*x));
        }
        dx.iter_mut().zip(row).for_each(|(dx, sum)| *dx = sum as f32);
    }
    dhead.iter_mut().zip(sums).for_each(|(dhead, sum)| *dhead = sum as f32);
}

/// The loss of one row.
#[derive(Debug)]
struct Scored {
    loss: f64,
    log_sum: f64,
    label: usize,
    smoothing: f64,
}

impl Scored {
    fn of(logits: &[f64], label: usize, smoothing: f64) -> Self {
        let max = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let log_sum = max + logits.iter().map(|z| (z - max).exp()).sum::<f64>().ln();
        let mean = logits.iter().sum::<f64>() / logits.len() as f64;
        let expected = (1.0 - smoothing) * logits[label] + smoothing * mean;
        Self { loss: log_sum - expected, log_sum, label, smoothing }
    }

    /// `p − q` of id `v`.
    fn gradient(&self, logits: &[f64], v: usize) -> f64 {
        let share = self.smoothing / logits.len() as f64;
        let target = if v == self.label { 1.0 - self.smoothing } else { 0.0 };
        (logits[v] - self.log_sum).exp() - target - share
    }
}
