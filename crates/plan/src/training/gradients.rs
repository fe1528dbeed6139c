//! Which buffer holds the gradient of which, while a backward pass is recorded.

use std::collections::BTreeMap;

use crate::buffer::BufferId;
use crate::error::PlanError;
use crate::ops::add;
use crate::ops::matmul::Write;
use crate::ops::training::TrainOp;
use crate::training::record::TrainRecorder;

/// The gradients that are complete or in the making, by the activations that they belong to.
///
/// A sum hands the gradient of its result to both of its terms, so several activations may share one buffer; it is written over only when one is left.
#[derive(Debug, Default)]
pub(super) struct Gradients {
    of: BTreeMap<BufferId, BufferId>,
}

/// Where a step writes the gradient of `x`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    x: BufferId,
    /// The buffer.
    pub(super) buffer: BufferId,
    /// Replace or add.
    pub(super) write: Write,
    /// What must be added afterwards.
    rest: Option<BufferId>,
}

impl Gradients {
    /// The gradient of `y`, which is complete: all that read `y` have been gone through. `None` where the loss does not depend on it.
    pub(super) fn take(&mut self, y: BufferId) -> Option<BufferId> {
        self.of.remove(&y)
    }

    /// Says that the gradient of `x` is `buffer`.
    pub(super) fn set(&mut self, x: BufferId, buffer: BufferId) {
        self.of.insert(x, buffer);
    }

    /// Where a step that can add, and reads `dy`, writes the gradient of `x`.
    pub(super) fn target(&self, recorder: &mut TrainRecorder, x: BufferId, dy: BufferId) -> Target {
        match self.of.get(&x) {
            Some(buffer) if *buffer != dy && self.n_sharing(*buffer) == 1 => {
                Target { x, buffer: *buffer, write: Write::Add, rest: None }
            }
            _ => self.fresh(recorder, x),
        }
    }

    /// Where a step that cannot add writes the gradient of `x`.
    pub(super) fn fresh(&self, recorder: &mut TrainRecorder, x: BufferId) -> Target {
        let label = format!("d {}", recorder.declared.buffer(x).label);
        let buffer = recorder.scratch(&label, recorder.shape(x).n_columns());
        Target { x, buffer, write: Write::Set, rest: self.of.get(&x).copied() }
    }

    /// Says that the step was recorded which writes there.
    ///
    /// # Errors
    /// None that buffers of this recorder could give.
    pub(super) fn settle(&mut self, recorder: &mut TrainRecorder, target: Target) -> Result<(), PlanError> {
        let Target { x, buffer, rest, .. } = target;
        match rest {
            Some(rest) => self.add(recorder, x, [rest, buffer]),
            None => {
                self.set(x, buffer);
                Ok(())
            }
        }
    }

    /// Hands the gradient of a sum to a term.
    ///
    /// # Errors
    /// As for [`Gradients::settle`].
    pub(super) fn hand(
        &mut self,
        recorder: &mut TrainRecorder,
        x: BufferId,
        dy: BufferId,
    ) -> Result<(), PlanError> {
        match self.of.get(&x).copied() {
            Some(rest) => self.add(recorder, x, [rest, dy]),
            None => {
                self.set(x, dy);
                Ok(())
            }
        }
    }

    fn add(
        &mut self,
        recorder: &mut TrainRecorder,
        x: BufferId,
        [a, b]: [BufferId; 2],
    ) -> Result<(), PlanError> {
        let label = format!("d {}", recorder.declared.buffer(x).label);
        let y = recorder.scratch(&label, recorder.shape(x).n_columns());
        recorder.add(add::Args { a, b, y }, TrainOp::Add)?;
        self.set(x, y);
        Ok(())
    }

    fn n_sharing(&self, buffer: BufferId) -> usize {
        self.of.values().filter(|other| **other == buffer).count()
    }
}
