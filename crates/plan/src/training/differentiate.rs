//! From what a model records for inference to a Plan that computes losses and gradients.

use std::collections::BTreeMap;
use std::ops::Range;

use hala_tensor::Shape;

use crate::buffer::{Buffer, BufferId, BufferKind};
use crate::error::PlanError;
use crate::ops::training::{TrainOp, head_loss};
use crate::plan::Plan;
use crate::training::backward::Backward;
use crate::training::forward::{Forward, Recorded};
use crate::training::gradients::Gradients;
use crate::training::plan::TrainPlan;
use crate::training::record::TrainRecorder;
use crate::training::step::TrainStep;

/// What becomes of the activations that the backward pass reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activations {
    /// They stay in memory until then.
    #[default]
    Kept,
    /// Of each layer only its input stays; the rest is computed again, which takes a third more time.
    Recomputed,
}

/// How a model is trained.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TrainOptions {
    /// The share of each target that is spread over all ids, from 0 to below 1.
    pub label_smoothing: f32,
    /// The probability of dropout of what blocks add to the residual stream, from 0 to below 1.
    pub dropout: f32,
    /// What becomes of activations.
    pub activations: Activations,
}

/// The training Plan of a forward pass that was recorded for inference with the logits of all rows, no steps joined.
///
/// # Errors
/// An op that cannot be trained, or an option that is no share.
pub fn differentiate(plan: &Plan, options: &TrainOptions) -> Result<TrainPlan, PlanError> {
    let Recorded { mut recorder, x, head } = Forward::new(plan, options.dropout).record()?;
    let steps = recorder.steps.clone();
    let dx = loss(&mut recorder, [x, head], options.label_smoothing)?;
    recorder.end_forward();
    let mut backward = Backward { recorder, gradients: Gradients::default(), again: BTreeMap::new() };
    backward.gradients.set(x, dx);
    for Layer { steps: range, is_layer } in layers(&steps, &backward.recorder.declared.buffers).iter().rev() {
        let steps = &steps[range.clone()];
        backward.again.clear();
        if *is_layer && options.activations == Activations::Recomputed {
            again(&mut backward, steps);
        }
        steps.iter().rev().try_for_each(|step| backward.step(step))?;
    }
    Ok(backward.recorder.finish())
}

/// Records the head with its loss; returns the gradient of its input.
fn loss(
    recorder: &mut TrainRecorder,
    [x, head]: [BufferId; 2],
    smoothing: f32,
) -> Result<BufferId, PlanError> {
    let (n_tokens, n_vocab) = (recorder.declared.n_tokens(), recorder.shape(head).n_rows());
    let losses = recorder.output("losses", 1);
    let dx = recorder.scratch("d logits input", recorder.shape(x).n_columns());
    let dhead = recorder.grad(head)?;
    let chunk = Shape::matrix(head_loss::chunk_rows(n_tokens, n_vocab), n_vocab);
    let logits = recorder.room("logits of a chunk", chunk);
    let args = head_loss::Args { x, head, losses, dx, dhead, logits, smoothing };
    recorder.add(args, TrainOp::HeadLoss)?;
    Ok(dx)
}

/// Steps side by side that belong to one layer, or to none.
#[derive(Debug, PartialEq, Eq)]
struct Layer {
    steps: Range<usize>,
    is_layer: bool,
}

/// The steps by layers, as the labels of what they write say: `layers.3.ffn_norm`, `model.layers.3.feed_forward.w1`.
fn layers(steps: &[TrainStep], buffers: &[Buffer]) -> Vec<Layer> {
    let idx = |step: &TrainStep| -> Option<usize> {
        let label = &buffers[step.outputs[0].0 as usize].label;
        let rest = label.strip_prefix("model.").unwrap_or(label).strip_prefix("layers.")?;
        rest.split('.').next()?.parse().ok()
    };
    let mut found = Vec::new();
    let mut start = 0;
    for side_by_side in steps.chunk_by(|a, b| idx(a) == idx(b)) {
        let end = start + side_by_side.len();
        found.push(Layer { steps: start..end, is_layer: idx(&side_by_side[0]).is_some() });
        start = end;
    }
    found
}

/// Records a layer's steps once more, into buffers of their own; those that no gradient needs are left out in the end.
fn again(backward: &mut Backward, steps: &[TrainStep]) {
    let Backward { recorder, again, .. } = backward;
    for step in steps {
        let inputs = step.inputs.iter().map(|id| again.get(id).copied().unwrap_or(*id)).collect();
        let mut outputs = Vec::new();
        for id in &step.outputs {
            let buffer = recorder.declared.buffer(*id).clone();
            let label = format!("{} again", buffer.label);
            let kind = BufferKind::Scratch { slot: 0 };
            let copy = recorder.declared.push(Buffer { label, kind, ..buffer });
            again.insert(*id, copy);
            outputs.push(copy);
        }
        recorder.steps.push(TrainStep { op: step.op, inputs, outputs });
    }
}
