//! A recorded list of steps and the buffers that they touch.

use std::fmt;

use hala_tensor::counted;

use crate::backend::Ahead;
use crate::buffer::{Axis, Buffer, BufferId, BufferKind, PoolSize};
use crate::error::BackendError;
use crate::ops::Op;
use crate::ops::{attention, rope_kv};
use crate::places;
use crate::rows::{Rows, Span};

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

/// What a model does for up to T rows: recorded once, run many times.
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

    /// The most rows whose logits a run may want.
    pub fn n_wanted(&self) -> usize {
        let wanted = self.buffers.iter().filter(|b| b.axis == Axis::Wanted).map(|b| b.shape.n_rows());
        wanted.min().unwrap_or(usize::MAX)
    }

    /// Steps before the first that is for logits alone: what a chunk runs that is not the end of a prompt.
    pub fn n_body(&self) -> usize {
        let is_for_logits = |id: &BufferId| {
            let buffer = self.buffer(*id);
            buffer.axis == Axis::Wanted || buffer.kind == BufferKind::Output
        };
        let first = self.steps.iter().position(|step| step.outputs.iter().any(is_for_logits));
        first.unwrap_or(self.steps.len())
    }

    /// Rows of a buffer of activations that a run writes.
    pub fn n_rows_of(&self, id: BufferId, rows: &Rows<'_>) -> usize {
        let buffer = self.buffer(id);
        match buffer.axis {
            Axis::Rows => rows.ids.len(),
            Axis::Wanted => rows.wanted.len(),
            Axis::Fixed => buffer.shape.n_rows(),
        }
    }

    /// Refuses rows that a kernel would index out of bounds with, or where two would write the same.
    ///
    /// # Errors
    /// No ids or more than T, spans that are not theirs, an id outside of the vocabulary, a position beyond the context, wanted rows that
    /// there are not; pages or slots that a pool of this size lacks, or that two spans would write.
    pub fn check(&self, rows: &Rows<'_>, size: &PoolSize) -> Result<(), BackendError> {
        let Rows { ids, spans, wanted, .. } = *rows;
        if ids.is_empty() {
            return Err(BackendError::Limit { what: "rows in one run", found: 0, limit: self.n_tokens });
        }
        limit("rows in one run", ids.len(), self.n_tokens)?;
        if spans.iter().map(|span| span.n_rows).sum::<usize>() != ids.len()
            || spans.iter().any(|span| span.n_rows == 0)
        {
            let found = spans.iter().map(|span| span.n_rows).sum();
            return Err(BackendError::Limit {
                what: "rows of the sequences of a run",
                found,
                limit: ids.len(),
            });
        }
        limit("rows whose logits are wanted", wanted.len(), self.n_wanted())?;
        if let Some(row) = wanted.iter().find(|row| **row as usize >= ids.len()) {
            limit("the index of a row whose logits are wanted", *row as usize, ids.len() - 1)?;
        }
        let end = spans.iter().map(Span::end).max().unwrap_or(0);
        for step in &self.steps {
            match &step.op {
                Op::Embed(params) => {
                    if let Some(&id) = ids.iter().find(|id| **id >= params.n_vocab) {
                        return Err(BackendError::Id { id, n_vocab: params.n_vocab as usize });
                    }
                }
                Op::RopeKv(rope_kv::Params { n_positions, .. })
                | Op::Attention(attention::Params { n_positions, .. }) => {
                    limit("tokens in the context", end, *n_positions as usize)?;
                }
                Op::Gather(_)
                | Op::Matmul(_)
                | Op::Norm(_)
                | Op::Round(_)
                | Op::Swiglu(_)
                | Op::ShortConv(_)
                | Op::Softcap(_)
                | Op::Sample(_) => {}
            }
        }
        self.check_places(spans, size)
    }

    /// Refuses pages and slots that a pool lacks, or that two spans would write.
    fn check_places(&self, spans: &[Span<'_>], size: &PoolSize) -> Result<(), BackendError> {
        let kinds = self.buffers.iter().filter_map(|buffer| match buffer.kind {
            BufferKind::State(_, kind) => Some(kind),
            _ => None,
        });
        let mut checked = Vec::new();
        for kind in kinds {
            if !checked.contains(&kind) {
                places::check(kind, spans, size)?;
                checked.push(kind);
            }
        }
        places::check_windows(&self.steps, spans, size)
    }

    /// V of [`Op::Sample`], where the Plan has that op.
    pub fn n_chosen_from(&self) -> Option<usize> {
        self.steps.iter().find_map(|step| match &step.op {
            Op::Sample(params) => Some(params.n_vocab as usize),
            Op::Embed(_) | Op::Gather(_) | Op::Matmul(_) | Op::Norm(_) | Op::Round(_) => None,
            Op::Swiglu(_) | Op::Softcap(_) | Op::ShortConv(_) | Op::RopeKv(_) | Op::Attention(_) => None,
        })
    }

    /// Refuses runs that cannot be queued: see [`Backend::queue`](crate::Backend::queue).
    ///
    /// # Errors
    /// A Plan that chooses no tokens, none or more than `n_ahead` runs, rows with another number of draws, and as for [`Plan::check`] of
    /// all the runs.
    pub fn check_ahead(
        &self,
        ahead: &Ahead<'_>,
        n_ahead: usize,
        size: &PoolSize,
    ) -> Result<(), BackendError> {
        let most = if self.n_chosen_from().is_some() { n_ahead } else { 0 };
        let found = ahead.n_runs();
        if found == 0 || found > most {
            return Err(BackendError::Limit { what: "runs queued at once", found, limit: most });
        }
        for row in ahead.rows {
            limit("rows of a sequence in a chain", row.span.n_rows, 1)?;
            if row.draws.len() != found {
                return Err(BackendError::Limit {
                    what: "draws of a row",
                    found: row.draws.len(),
                    limit: found,
                });
            }
        }
        let ids: Vec<u32> = ahead.rows.iter().map(|row| row.start.map_or(0, |start| start.id)).collect();
        let first: Vec<Span<'_>> = ahead.rows.iter().map(|row| row.span).collect();
        let last: Vec<Span<'_>> = first
            .iter()
            .map(|span| Span { position: span.position.saturating_add(found - 1), ..*span })
            .collect();
        for spans in [first, last] {
            self.check(&Rows { ids: &ids, spans: &spans, wanted: &[], cancel: ahead.cancel }, size)?;
        }
        Ok(())
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

fn limit(what: &'static str, found: usize, limit: usize) -> Result<(), BackendError> {
    if found > limit { Err(BackendError::Limit { what, found, limit }) } else { Ok(()) }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scratch: usize = self.slots.iter().sum();
        writeln!(
            f,
            "plan {} for {}: {}, {}, {} of {} in all",
            self.label,
            counted(self.n_tokens as u64, "row"),
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
