//! The backward pass, recorded from the forward pass: each step gives the gradients of what it read.

use std::collections::BTreeMap;

use crate::buffer::BufferId;
use crate::error::PlanError;
use crate::ops::training::turn_heads::Params as TurnParams;
use crate::ops::training::{
    TrainOp, attention_backward, concat_backward, convolve_backward, dropout, embed_backward, gate_backward,
    matmul_backward_input, matmul_backward_weight, norm_backward, packed_attention, packed_convolve,
    turn_heads, turn_heads_backward,
};
use crate::ops::{add, concat, embed, gate, matmul, norm};
use crate::training::gradients::Gradients;
use crate::training::record::TrainRecorder;
use crate::training::step::TrainStep;

/// A backward pass in the making.
#[derive(Debug)]
pub(super) struct Backward {
    pub(super) recorder: TrainRecorder,
    pub(super) gradients: Gradients,
    /// Activations that were computed again, by those that the forward pass has computed.
    pub(super) again: BTreeMap<BufferId, BufferId>,
}

impl Backward {
    /// The activations of a buffer, as they are now.
    fn now(&self, id: BufferId) -> BufferId {
        self.again.get(&id).copied().unwrap_or(id)
    }

    /// Records the gradients of what a step of the forward pass read.
    ///
    /// # Errors
    /// A step that is none of a forward pass.
    pub(super) fn step(&mut self, step: &TrainStep) -> Result<(), PlanError> {
        let Some(dy) = self.gradients.take(step.outputs[0]) else { return Ok(()) };
        match &step.op {
            TrainOp::Add(_) => self.add(step, dy),
            TrainOp::Concat(_) => self.concat(step, dy),
            TrainOp::Embed(params) => self.embed(step, params, dy),
            TrainOp::Gate(params) => self.gate(step, params, dy),
            TrainOp::Matmul(params) => self.matmul(step, params, dy),
            TrainOp::Norm(params) => self.norm(step, params, dy),
            TrainOp::TurnHeads(params) => self.turn(step, params, dy),
            TrainOp::PackedAttention(params) => self.attend(step, params, dy),
            TrainOp::PackedConvolve(_) => self.convolve(step, dy),
            TrainOp::Dropout(params) => self.dropout(step, params, dy),
            TrainOp::HeadLoss(_)
            | TrainOp::ConcatBackward(_)
            | TrainOp::EmbedBackward(_)
            | TrainOp::GateBackward(_)
            | TrainOp::MatmulBackwardInput(_)
            | TrainOp::MatmulBackwardWeight(_)
            | TrainOp::NormBackward(_)
            | TrainOp::TurnHeadsBackward(_)
            | TrainOp::AttentionBackward(_)
            | TrainOp::ConvolveBackward(_) => {
                let what = "it is part of no forward pass, so it has no gradient".to_owned();
                Err(PlanError::Parameter { op: step.op.name(), what })
            }
        }
    }

    fn add(&mut self, step: &TrainStep, dy: BufferId) -> Result<(), PlanError> {
        let add::Args { a, b, .. } = add::Args::of(step.io());
        [a, b].into_iter().try_for_each(|x| self.gradients.hand(&mut self.recorder, x, dy))
    }

    fn concat(&mut self, step: &TrainStep, dy: BufferId) -> Result<(), PlanError> {
        let parts = concat::Args::of(step.io()).parts;
        let targets: Vec<_> = parts.iter().map(|x| self.gradients.fresh(&mut self.recorder, *x)).collect();
        let parts: Vec<_> = targets.iter().map(|target| target.buffer).collect();
        self.recorder.add(concat_backward::Args { dy, parts: &parts }, TrainOp::ConcatBackward)?;
        targets.into_iter().try_for_each(|target| self.gradients.settle(&mut self.recorder, target))
    }

    fn embed(&mut self, step: &TrainStep, params: &embed::Params, dy: BufferId) -> Result<(), PlanError> {
        let embed::Args { table, scale, .. } = embed::Args::of(step.io(), params);
        let dtable = self.recorder.grad(table)?;
        self.recorder.add(embed_backward::Args { dy, dtable, scale }, TrainOp::EmbedBackward)
    }

    fn gate(&mut self, step: &TrainStep, params: &gate::Params, dy: BufferId) -> Result<(), PlanError> {
        let gate::Args { a, b, activation, .. } = gate::Args::of(step.io(), params);
        let targets = [a, b].map(|x| self.gradients.fresh(&mut self.recorder, x));
        let [da, db] = targets.map(|target| target.buffer);
        let args = gate_backward::Args { a: self.now(a), b: self.now(b), activation, dy, da, db };
        self.recorder.add(args, TrainOp::GateBackward)?;
        targets.into_iter().try_for_each(|target| self.gradients.settle(&mut self.recorder, target))
    }

    fn matmul(&mut self, step: &TrainStep, params: &matmul::Params, dy: BufferId) -> Result<(), PlanError> {
        let matmul::Args { x, weights, bias, .. } = matmul::Args::of(step.io(), params);
        let w = weights[0];
        let db = bias.map(|bias| self.recorder.grad(bias)).transpose()?;
        let args = matmul_backward_weight::Args { dy, x: self.now(x), dw: self.recorder.grad(w)?, db };
        self.recorder.add(args, TrainOp::MatmulBackwardWeight)?;
        let target = self.gradients.target(&mut self.recorder, x, dy);
        let args = matmul_backward_input::Args { dy, w, dx: target.buffer, write: target.write };
        self.recorder.add(args, TrainOp::MatmulBackwardInput)?;
        self.gradients.settle(&mut self.recorder, target)
    }

    fn norm(&mut self, step: &TrainStep, params: &norm::Params, dy: BufferId) -> Result<(), PlanError> {
        let norm::Args { x, norm, kind, .. } = norm::Args::of(step.io(), params);
        let dw = self.recorder.grad(norm.weight)?;
        let target = self.gradients.target(&mut self.recorder, x, dy);
        let (dx, write) = (target.buffer, target.write);
        let args = norm_backward::Args { x: self.now(x), norm, kind, dy, dx, dw, write };
        self.recorder.add(args, TrainOp::NormBackward)?;
        self.gradients.settle(&mut self.recorder, target)
    }

    fn turn(&mut self, step: &TrainStep, params: &TurnParams, dturned: BufferId) -> Result<(), PlanError> {
        let turn_heads::Args { qkv, norms, turn, heads, .. } = turn_heads::Args::of(step.io(), params);
        let dnorms = match norms {
            Some(norms) => Some([self.recorder.grad(norms.q)?, self.recorder.grad(norms.k)?]),
            None => None,
        };
        let target = self.gradients.fresh(&mut self.recorder, qkv);
        let (qkv, dqkv) = (self.now(qkv), target.buffer);
        let args = turn_heads_backward::Args { qkv, dturned, norms, turn, dqkv, dnorms, heads };
        self.recorder.add(args, TrainOp::TurnHeadsBackward)?;
        self.gradients.settle(&mut self.recorder, target)
    }

    fn attend(
        &mut self,
        step: &TrainStep,
        params: &packed_attention::Params,
        dy: BufferId,
    ) -> Result<(), PlanError> {
        let packed_attention::Args { turned, y, log_sums, heads, scale } =
            packed_attention::Args::of(step.io(), params);
        let target = self.gradients.fresh(&mut self.recorder, turned);
        let [turned, y, log_sums] = [turned, y, log_sums].map(|id| self.now(id));
        let dturned = target.buffer;
        let args = attention_backward::Args { turned, y, log_sums, dy, dturned, heads, scale };
        self.recorder.add(args, TrainOp::AttentionBackward)?;
        self.gradients.settle(&mut self.recorder, target)
    }

    fn convolve(&mut self, step: &TrainStep, dy: BufferId) -> Result<(), PlanError> {
        let packed_convolve::Args { projected, taps, bias, .. } = packed_convolve::Args::of(step.io());
        let bias = match bias {
            Some(bias) => Some(convolve_backward::Bias { bias, dbias: self.recorder.grad(bias)? }),
            None => None,
        };
        let (target, dtaps) =
            (self.gradients.fresh(&mut self.recorder, projected), self.recorder.grad(taps)?);
        let (projected, dprojected) = (self.now(projected), target.buffer);
        let args = convolve_backward::Args { projected, taps, dy, dprojected, dtaps, bias };
        self.recorder.add(args, TrainOp::ConvolveBackward)?;
        self.gradients.settle(&mut self.recorder, target)
    }

    fn dropout(&mut self, step: &TrainStep, params: &dropout::Params, dy: BufferId) -> Result<(), PlanError> {
        let dropout::Args { x, rate, stream, .. } = dropout::Args::of(step.io(), params);
        let target = self.gradients.fresh(&mut self.recorder, x);
        let args = dropout::Args { x: dy, y: target.buffer, rate, stream };
        self.recorder.add(args, TrainOp::Dropout)?;
        self.gradients.settle(&mut self.recorder, target)
    }
}
