//! The head with the cross-entropy of its logits, and its gradient: rows with a label are put side by side, and a chunk of them goes through at a time.

use hala_plan::ops::matmul::Write;
use hala_plan::ops::training::head_loss::Params;
use hala_plan::training::{IGNORE, Purpose};

use super::attention::exponentials;
use super::engine::Engine;
use super::gemm::gemm;
use super::pack::Matrix;
use crate::ops::training::head_loss::{Inputs, Outputs};
use crate::shared::Shared;
use crate::simd::isa::{Isa, Work};
use crate::simd::math::sum;

/// Goes through the rows chunk by chunk; `logits [R, V]` is room.
pub(crate) fn run(
    engine: &mut Engine,
    params: &Params,
    inputs: Inputs<'_>,
    outputs: Outputs<'_>,
    logits: &mut [f32],
) {
    let Outputs { losses, dx, dhead } = outputs;
    let (n_vocab, width) = (params.n_vocab as usize, params.width as usize);
    let labelled: Vec<usize> = (0..losses.len()).filter(|t| inputs.rows.labels[*t] != IGNORE).collect();
    losses.fill(0.0);
    dx.fill(0.0);
    let is_training = inputs.purpose != Purpose::Evaluate;
    for rows in labelled.chunks(params.n_rows as usize) {
        let [mut x, mut d] = engine.gathered.each_mut().map(std::mem::take);
        x.clear();
        rows.iter().for_each(|t| x.extend_from_slice(&inputs.x[t * width..][..width]));
        d.resize(rows.len() * width, 0.0);
        let logits = &mut logits[..rows.len() * n_vocab];
        let Engine { machine, kernel, packs, .. } = engine;
        let head = Matrix::rows(inputs.head, width);
        let operands = [Matrix::rows(&x, width), head.transposed()];
        gemm((machine, kernel), packs, operands, (logits, n_vocab), Write::Set);
        score(engine, params, (inputs, rows), logits, losses);
        if is_training {
            let Engine { machine, kernel, packs, .. } = engine;
            let dz = Matrix::rows(logits, n_vocab);
            gemm((machine, kernel), packs, [dz, head], (&mut d, width), Write::Set);
            let operands = [dz.transposed(), Matrix::rows(&x, width)];
            gemm((machine, kernel), packs, operands, (dhead, width), Write::Add);
            for (t, d) in rows.iter().zip(d.chunks_exact(width)) {
                dx[t * width..][..width].copy_from_slice(d);
            }
        }
        engine.gathered = [x, d];
    }
}

/// Writes the losses of a chunk's rows, and turns their logits into gradients.
fn score(
    engine: &mut Engine,
    params: &Params,
    (inputs, rows): (Inputs<'_>, &[usize]),
    logits: &mut [f32],
    losses: &mut [f32],
) {
    let n_vocab = params.n_vocab as usize;
    let smoothing = if inputs.purpose == Purpose::Evaluate { 0.0 } else { params.smoothing };
    let (logits, losses) = (Shared::new(logits), Shared::new(losses));
    let Engine { machine, scratch, .. } = engine;
    machine.pool.share(&mut scratch.locals, rows.len(), 4, |_, range| {
        // SAFETY: each row is given to one thread.
        let logits = unsafe { logits.part(range.start * n_vocab..range.end * n_vocab) };
        machine.level.run(Scored { inputs, rows: &rows[range.clone()], smoothing, logits, losses: &losses });
    });
}

/// Some rows with a label.
struct Scored<'a> {
    inputs: Inputs<'a>,
    rows: &'a [usize],
    smoothing: f32,
    logits: &'a mut [f32],
    losses: &'a Shared<'a, f32>,
}

impl Work for Scored<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let Self { inputs, rows, smoothing, logits, losses } = self;
        let n_vocab = logits.len() / rows.len().max(1);
        for (t, z) in rows.iter().zip(logits.chunks_exact_mut(n_vocab)) {
            let label = inputs.rows.labels[*t] as usize;
            let (own, mean) = (z[label], if smoothing > 0.0 { sum(z) / n_vocab as f32 } else { 0.0 });
            let max = most(z);
            let total = exponentials(z, max);
            let expected = (1.0 - smoothing) * own + smoothing * mean;
            let loss = f64::from(total).ln() + f64::from(max) - f64::from(expected);
            // SAFETY: each row is given to one thread.
            let own_loss = unsafe { losses.part(*t..t + 1) };
            own_loss[0] = loss as f32;
            let weight = inputs.rows.weights[*t];
            let (factor, share) = (weight / total, weight * smoothing / n_vocab as f32);
            for z in z.iter_mut() {
                *z = *z * factor - share;
            }
            z[label] -= weight * (1.0 - smoothing);
        }
    }
}

/// The largest element.
#[inline(always)]
fn most(row: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; 16];
    let (chunks, rest) = row.as_chunks::<16>();
    for chunk in chunks {
        for (most, z) in most.iter_mut().zip(chunk) {
            *most = if *z > *most { *z } else { *most };
        }
    }
    for (most, z) in most.iter_mut().zip(rest) {
        *most = if *z > *most { *z } else { *most };
    }
    most.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}
