//! A recorded list of steps and the buffers that they touch.

use std::fmt;

use hala_tensor::counted;

use crate::ops::{attention, rope_kv};
use crate::{Ahead, BackendError, Buffer, BufferId, BufferKind, Op, StepInput};

/// One op with the buffers that it reads and writes, in the order that the op's module documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The op and its parameters.
    pub op: Op,
    /// Buffers read.
    pub inputs: Vec<BufferId>,
    /// Buffers written; one that is also among the inputs is updated in place.
    pub outputs: Vec<BufferId>,
}

/// What a model does for up to T tokens: recorded once, run many times.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub(crate) label: String,
    pub(crate) n_tokens: usize,
    pub(crate) buffers: Vec<Buffer>,
    pub(crate) steps: Vec<Step>,
    pub(crate) slots: Vec<usize>,
}

impl Plan {
    /// What the Plan is for, such as `decode`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// T, the most tokens that one run takes.
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

    /// The steps, in the order that they run.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The memory slots of scratch buffers, in bytes each; buffers whose lifetimes do not meet share one.
    pub fn slots(&self) -> &[usize] {
        &self.slots
    }

    /// The first output buffer, which for language models is the logits.
    pub fn output(&self) -> Option<BufferId> {
        let idx = self.buffers.iter().position(|b| b.kind == BufferKind::Output)?;
        Some(BufferId(idx as u32))
    }

    /// Refuses ids and positions that a kernel would index out of bounds with.
    ///
    /// # Errors
    /// No ids or more than T, an id outside of the vocabulary, a position beyond the state.
    pub fn check(&self, input: StepInput<'_>) -> Result<(), BackendError> {
        let limit = |what, found, limit| {
            if found > limit { Err(BackendError::Limit { what, found, limit }) } else { Ok(()) }
        };
        if input.ids.is_empty() {
            return Err(BackendError::Limit { what: "tokens in one run", found: 0, limit: self.n_tokens });
        }
        limit("tokens in one run", input.ids.len(), self.n_tokens)?;
        let end = input.position.saturating_add(input.ids.len());
        for step in &self.steps {
            match &step.op {
                Op::Embed(params) => {
                    if let Some(&id) = input.ids.iter().find(|id| **id >= params.n_vocab) {
                        return Err(BackendError::Id { id, n_vocab: params.n_vocab as usize });
                    }
                }
                Op::RopeKv(rope_kv::Params { capacity, .. })
                | Op::Attention(attention::Params { capacity, .. }) => {
                    limit("tokens in the context", end, *capacity as usize)?;
                }
                Op::Matmul(_)
                | Op::Norm(_)
                | Op::Round(_)
                | Op::Swiglu(_)
                | Op::ShortConv(_)
                | Op::Softcap(_)
                | Op::Sample(_) => {}
            }
        }
        Ok(())
    }

    /// V of [`Op::Sample`], where the Plan has that op.
    pub fn n_chosen_from(&self) -> Option<usize> {
        self.steps.iter().find_map(|step| match &step.op {
            Op::Sample(params) => Some(params.n_vocab as usize),
            Op::Embed(_) | Op::Matmul(_) | Op::Norm(_) | Op::Round(_) | Op::Swiglu(_) | Op::Softcap(_) => {
                None
            }
            Op::ShortConv(_) | Op::RopeKv(_) | Op::Attention(_) => None,
        })
    }

    /// Refuses runs that cannot be queued: see [`Backend::queue`](crate::Backend::queue).
    ///
    /// # Errors
    /// A Plan that chooses no tokens, none or more than `n_ahead` runs, and as for [`Plan::check`] of the last of them.
    pub fn check_ahead(&self, ahead: Ahead<'_>, n_ahead: usize) -> Result<(), BackendError> {
        let limit = if self.n_chosen_from().is_some() { n_ahead } else { 0 };
        let found = ahead.draws.len();
        if found == 0 || found > limit {
            return Err(BackendError::Limit { what: "runs queued at once", found, limit });
        }
        let position = ahead.position.saturating_add(found - 1);
        let ids = &[ahead.start.map_or(0, |start| start.id)];
        self.check(StepInput { ids, position, cancel: ahead.cancel })
    }

    /// Bytes of all weights that a step names.
    pub fn weight_bytes_of(&self, step: &Step) -> usize {
        let buffers = step.inputs.iter().map(|id| self.buffer(*id));
        let weights = buffers.filter(|buffer| matches!(buffer.kind, BufferKind::Weight(_)));
        weights.map(|buffer| buffer.dtype.n_bytes(buffer.shape)).sum()
    }

    /// Bytes of weights that one run reads, a row of an embedding look-up left out.
    pub fn weight_bytes(&self) -> usize {
        let mut seen = std::collections::BTreeSet::new();
        let read = self.steps.iter().filter(|s| !matches!(s.op, Op::Embed(_))).flat_map(|s| &s.inputs);
        let weights = read.filter(|id| {
            let buffer = self.buffer(**id);
            matches!(buffer.kind, BufferKind::Weight(_)) && seen.insert(**id)
        });
        weights.map(|id| self.buffer(*id)).map(|b| b.dtype.n_bytes(b.shape)).sum()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scratch: usize = self.slots.iter().sum();
        writeln!(
            f,
            "plan {} for {}: {}, {}, {} of {} in all",
            self.label,
            counted(self.n_tokens as u64, "token"),
            counted(self.steps.len() as u64, "step"),
            counted(self.buffers.len() as u64, "buffer"),
            counted(self.slots.len() as u64, "slot"),
            counted(scratch as u64, "byte"),
        )?;
        let list = |ids: &[BufferId]| {
            let name = |id: &BufferId| {
                let b = self.buffer(*id);
                format!("{} {}", b.label, b.shape)
            };
            ids.iter().map(name).collect::<Vec<_>>().join(", ")
        };
        for (i, step) in self.steps.iter().enumerate() {
            writeln!(f, "{i:3} {:11} {} <- {}", step.op.name(), list(&step.outputs), list(&step.inputs))?;
        }
        Ok(())
    }
}
