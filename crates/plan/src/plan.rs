//! A recorded list of steps and the buffers that they touch.

use std::fmt;

use hala_tensor::counted;

use crate::ahead::Ahead;
use crate::buffer::{Axis, Buffer, BufferId, BufferKind, PoolSize};
use crate::error::BackendError;
use crate::places;
use crate::rows::{Rows, Span};
use crate::spec::{Counted, Work};
use crate::step::Step;

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
        for spec in self.steps.iter().map(|step| step.op.spec()) {
            if let Some(n_ids) = spec.n_ids()
                && let Some(&id) = ids.iter().find(|id| **id as usize >= n_ids)
            {
                return Err(BackendError::Id { id, n_vocab: n_ids });
            }
            if let Some(n_positions) = spec.n_positions() {
                limit("tokens in the context", end, n_positions)?;
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
        let windows = self.steps.iter().filter_map(|step| step.op.spec().window());
        places::check_windows(windows, spans, size)
    }

    /// V of the op that chooses the next tokens, where the Plan has one.
    pub fn n_chosen_from(&self) -> Option<usize> {
        self.steps.iter().find_map(|step| step.op.spec().n_chosen_from())
    }

    /// S, the most positions of a sequence; `None` where no op goes by positions.
    pub fn n_positions(&self) -> Option<usize> {
        self.steps.iter().filter_map(|step| step.op.spec().n_positions()).max()
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

    /// What a step has to do at least where a run has T rows, the first of them at `position`.
    pub fn work(&self, step: &Step, position: usize) -> Work {
        step.op.spec().work(&self.counted(step, position))
    }

    /// Bytes of the matrices that a step multiplies with. What is left out is next to nothing: the row that an embedding or a table of
    /// angles is looked up for, norms, biases and taps.
    pub fn weight_bytes_of(&self, step: &Step) -> usize {
        step.products().map_or(0, |products| self.counted(step, 0).matrix_bytes(&products))
    }

    /// Bytes of matrices that one run reads.
    pub fn weight_bytes(&self) -> usize {
        self.steps.iter().map(|step| self.weight_bytes_of(step)).sum()
    }

    fn counted<'a>(&'a self, step: &'a Step, position: usize) -> Counted<'a> {
        Counted { io: step.io(), buffers: &self.buffers, n_tokens: self.n_tokens, position }
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
            counted(self.buffers.iter().filter(|b| b.kind != BufferKind::Joined).count() as u64, "buffer"),
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
