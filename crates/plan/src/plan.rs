//! A recorded list of steps and the buffers that they touch.

use std::fmt;

use crate::{Buffer, BufferId, BufferKind, Op};

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
            "plan {} for {} tokens: {} steps, {} buffers, {} slots of {scratch} bytes in all",
            self.label,
            self.n_tokens,
            self.steps.len(),
            self.buffers.len(),
            self.slots.len(),
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
