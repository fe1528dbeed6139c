//! The forward pass of training, from a Plan that a model has recorded for inference.

use std::collections::{BTreeMap, BTreeSet};

use crate::buffer::{Buffer, BufferId, BufferKind};
use crate::error::PlanError;
use crate::ops::training::turn_heads::Heads;
use crate::ops::training::{TrainOp, dropout, packed_attention, packed_convolve, turn_heads};
use crate::ops::{Op, add, attention, convolve, rope_kv};
use crate::plan::Plan;
use crate::step::Step;
use crate::training::record::TrainRecorder;
use crate::training::step::TrainStep;

/// A forward pass in the making.
#[derive(Debug)]
pub(super) struct Forward<'a> {
    plan: &'a Plan,
    recorder: TrainRecorder,
    /// The probability of dropout of what blocks add to the residual stream.
    dropout: f32,
    n_dropped: u32,
    /// What stands for each cache: turned heads, in the place of the keys.
    turned: BTreeMap<BufferId, (BufferId, Heads)>,
}

/// The recorded forward pass, up to the head.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) recorder: TrainRecorder,
    /// The head's input, `[T, D]`.
    pub(super) x: BufferId,
    /// `[V, D]`.
    pub(super) head: BufferId,
}

impl<'a> Forward<'a> {
    /// Nothing recorded yet of what `plan` computes.
    pub(super) fn new(plan: &'a Plan, dropout: f32) -> Self {
        let tables: BTreeSet<BufferId> = plan.steps().iter().filter_map(table).collect();
        let buffer = |(idx, buffer): (usize, &Buffer)| {
            let kind = match buffer.kind {
                BufferKind::Weight(id) if !tables.contains(&BufferId(idx as u32)) => BufferKind::Param(id),
                // The logits are never whole.
                BufferKind::Output => BufferKind::Joined,
                kind => kind,
            };
            Buffer { kind, ..buffer.clone() }
        };
        let buffers = plan.buffers().iter().enumerate().map(buffer).collect();
        let recorder = TrainRecorder::with(plan.n_tokens(), buffers);
        Self { plan, recorder, dropout, n_dropped: 0, turned: BTreeMap::new() }
    }

    /// Records all steps.
    ///
    /// # Errors
    /// An op that cannot be trained, or a Plan that does not end in a head of all rows.
    pub(super) fn record(mut self) -> Result<Recorded, PlanError> {
        let Some((last, steps)) = self.plan.steps().split_last() else {
            return Err(unsupported("a Plan", "has no steps"));
        };
        steps.iter().try_for_each(|step| self.step(step))?;
        let is_logits =
            last.outputs.iter().any(|output| self.plan.buffer(*output).kind == BufferKind::Output);
        match (&last.op, &last.inputs[..]) {
            (Op::Matmul(_), &[x, head]) if is_logits => Ok(Recorded { recorder: self.recorder, x, head }),
            (other, _) => Err(unsupported(other.name(), "ends the Plan, and a product with the head must")),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), PlanError> {
        match step.op {
            Op::Embed(params) => self.keep(step, TrainOp::Embed(params)),
            Op::Concat(params) => self.keep(step, TrainOp::Concat(params)),
            Op::Gate(params) if params.n_each == 1 => self.keep(step, TrainOp::Gate(params)),
            Op::Norm(params) if params.add == 0 => self.keep(step, TrainOp::Norm(params)),
            Op::Matmul(params) if params.norm == 0 && params.add == 0 && params.n_out[1] == 0 => {
                self.keep(step, TrainOp::Matmul(params));
            }
            Op::Add(_) => self.residual(step)?,
            Op::Convolve(_) => self.convolve(step)?,
            Op::RopeKv(ref params) => self.turn(step, params)?,
            Op::Attention(ref params) => self.attend(step, params)?,
            Op::Gate(_) | Op::Norm(_) | Op::Matmul(_) => {
                return Err(unsupported(step.op.name(), "is joined or shares gates here"));
            }
            Op::Gather(_)
            | Op::Round(_)
            | Op::Sample(_)
            | Op::ShortConv(_)
            | Op::Softcap(_)
            | Op::Swiglu(_) => {
                return Err(unsupported(step.op.name(), "has no gradient yet"));
            }
        }
        Ok(())
    }

    fn keep(&mut self, step: &Step, op: TrainOp) {
        let Step { inputs, outputs, .. } = step.clone();
        self.recorder.steps.push(TrainStep { op, inputs, outputs });
    }

    /// The residual stream's sum, with dropout of what is added.
    fn residual(&mut self, step: &Step) -> Result<(), PlanError> {
        let add::Args { a, b, y } = add::Args::of(step.io());
        let mut added = b;
        if self.dropout > 0.0 {
            let label = format!("{} dropped", self.plan.buffer(y).label);
            added = self.recorder.scratch(&label, self.recorder.shape(b).n_columns());
            let args = dropout::Args { x: b, y: added, rate: self.dropout, stream: self.n_dropped };
            self.recorder.add(args, TrainOp::Dropout)?;
            self.n_dropped += 1;
        }
        self.recorder.add(add::Args { a, b: added, y }, TrainOp::Add)
    }

    fn convolve(&mut self, step: &Step) -> Result<(), PlanError> {
        let convolve::Args { projected, taps, bias, y, .. } = convolve::Args::of(step.io());
        self.recorder.add(packed_convolve::Args { projected, taps, bias, y }, TrainOp::PackedConvolve)
    }

    fn turn(&mut self, step: &Step, params: &rope_kv::Params) -> Result<(), PlanError> {
        let rope_kv::Args { qkv, norms, turn, keys, .. } = rope_kv::Args::of(step.io(), params);
        let rope_kv::Params { n_heads, n_kv_heads, head_size, .. } = *params;
        let heads = Heads { n_heads, n_kv_heads, head_size };
        let label = format!("{} turned", self.plan.buffer(qkv).label);
        let turned = self.recorder.scratch(&label, heads.width());
        self.turned.insert(keys, (turned, heads));
        self.recorder.add(turn_heads::Args { qkv, norms, turn, turned, heads }, TrainOp::TurnHeads)
    }

    fn attend(&mut self, step: &Step, params: &attention::Params) -> Result<(), PlanError> {
        let attention::Args { keys, y, scale, softcap, window, .. } = attention::Args::of(step.io(), params);
        if softcap.is_some() || window.is_some() {
            return Err(unsupported(
                attention::NAME,
                "has a bound of its scores or a window, which have no gradient yet",
            ));
        }
        let Some((turned, heads)) = self.turned.get(&keys).copied() else {
            return Err(unsupported(attention::NAME, "reads a cache that no step of the Plan wrote"));
        };
        let label = format!("{} log_sums", self.plan.buffer(y).label);
        let log_sums = self.recorder.scratch(&label, heads.n_heads as usize);
        let args = packed_attention::Args { turned, y, log_sums, heads, scale };
        self.recorder.add(args, TrainOp::PackedAttention)
    }
}

/// The table of angles that a step reads, which is computed and not trained.
fn table(step: &Step) -> Option<BufferId> {
    let Op::RopeKv(params) = &step.op else { return None };
    rope_kv::Args::of(step.io(), params).turn.map(|turn| turn.table)
}

fn unsupported(op: &'static str, what: &str) -> PlanError {
    PlanError::Parameter { op, what: format!("it {what}, so this model cannot be trained") }
}
