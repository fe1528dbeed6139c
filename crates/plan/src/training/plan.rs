//! A recorded list of steps that compute losses and gradients.

use crate::buffer::{Buffer, BufferId, BufferKind, WeightId};
use crate::ops::training::TrainOp;
use crate::training::rows::Limits;
use crate::training::step::TrainStep;

/// What training does for up to T rows: recorded once, run for every batch. Each run adds to the gradients of the parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainPlan {
    pub(crate) n_tokens: usize,
    pub(crate) buffers: Vec<Buffer>,
    pub(crate) steps: Vec<TrainStep>,
    pub(crate) n_forward: usize,
    pub(crate) slots: Vec<usize>,
}

impl TrainPlan {
    /// T, the most rows that one run takes.
    pub fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// All buffers; a [`BufferId`] is an index into them.
    pub fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }

    /// One buffer.
    pub fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }

    /// The buffer of this label that was declared first.
    pub fn find(&self, label: &str) -> Option<BufferId> {
        let idx = self.buffers.iter().position(|buffer| buffer.label == label)?;
        Some(BufferId(idx as u32))
    }

    /// The steps, in the order that they run: those of the forward pass, then those of the backward pass.
    pub fn steps(&self) -> &[TrainStep] {
        &self.steps
    }

    /// Steps up to the losses, which are all that evaluation runs.
    pub fn n_forward(&self) -> usize {
        self.n_forward
    }

    /// The memory slots of activations and their gradients, in bytes each; buffers whose lifetimes do not meet share one.
    pub fn slots(&self) -> &[usize] {
        &self.slots
    }

    /// The losses of the rows, `[T, 1]`.
    pub fn losses(&self) -> Option<BufferId> {
        let idx = self.buffers.iter().position(|buffer| buffer.kind == BufferKind::Output)?;
        Some(BufferId(idx as u32))
    }

    /// The parameters, in the order of their first use.
    pub fn params(&self) -> impl Iterator<Item = (WeightId, &Buffer)> {
        self.buffers.iter().filter_map(|buffer| match buffer.kind {
            BufferKind::Param(id) => Some((id, buffer)),
            _ => None,
        })
    }

    /// Whether a parameter is a table of which rows are looked up: the embedding, be it the head as well.
    pub fn is_embedding(&self, id: WeightId) -> bool {
        self.steps.iter().any(|step| {
            matches!(step.op, TrainOp::Embed(_))
                && step.inputs.iter().any(|input| self.buffer(*input).kind == BufferKind::Param(id))
        })
    }

    /// What the rows of a run are held to.
    pub fn limits(&self) -> Limits {
        let (mut n_vocab, mut n_positions) = (usize::MAX, usize::MAX);
        for step in &self.steps {
            match step.op {
                TrainOp::Embed(params) => n_vocab = n_vocab.min(params.n_vocab as usize),
                TrainOp::HeadLoss(params) => n_vocab = n_vocab.min(params.n_vocab as usize),
                TrainOp::TurnHeads(params) => n_positions = n_positions.min(params.n_positions as usize),
                _ => {}
            }
        }
        Limits { n_tokens: self.n_tokens, n_vocab, n_positions }
    }
}
