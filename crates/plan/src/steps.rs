//! Steps that are being joined, and what may be asked of them: who writes and reads a buffer, and what may move.

use crate::buffer::{BufferId, BufferKind};
use crate::declared::Declared;
use crate::ops::Op;
use crate::spec::Record;
use crate::step::Step;

/// The steps of a Plan with its buffers.
#[derive(Debug)]
pub(crate) struct Steps {
    pub(crate) declared: Declared,
    pub(crate) steps: Vec<Step>,
}

/// A step that takes the place of the last of several, which it joins.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) step: Step,
    /// Indices of the others, which go.
    pub(crate) others: Vec<usize>,
    /// A buffer that the step wrote, and the one that stands for it from here on.
    pub(crate) renamed: Option<[BufferId; 2]>,
}

impl Steps {
    /// A step of these buffers, where they fit together.
    pub(crate) fn step<A: Record>(&self, args: A) -> Option<Step>
    where
        Op: From<A::Params>,
    {
        Step::of(args, &self.declared).ok()
    }

    /// The step that writes what step `reader` reads of a scratch buffer, where no other step reads or writes that, and where what the
    /// writer reads is still the same when the reader runs.
    pub(crate) fn sole_writer(&self, buffer: BufferId, reader: usize) -> Option<usize> {
        if !self.is_scratch(buffer) {
            return None;
        }
        let touches = |step: &Step| step.inputs.contains(&buffer) || step.outputs.contains(&buffer);
        let mut touching = (0..self.steps.len()).filter(|i| touches(&self.steps[*i]));
        let (writer, found) = (touching.next()?, touching.next()?);
        let is_pair =
            found == reader && touching.next().is_none() && self.steps[writer].outputs.contains(&buffer);
        (is_pair && self.may_move(writer, reader)).then_some(writer)
    }

    /// Whether what a step reads is still the same when a later one runs.
    fn may_move(&self, from: usize, to: usize) -> bool {
        let mut between = self.steps[from + 1..to].iter();
        !between.any(|step| step.outputs.iter().any(|id| self.steps[from].inputs.contains(id)))
    }

    /// Whether a buffer is scratch, which nobody reads after the run.
    pub(crate) fn is_scratch(&self, buffer: BufferId) -> bool {
        matches!(self.declared.buffer(buffer).kind, BufferKind::Scratch { .. })
    }

    /// Whether step `i` is the last that touches a scratch buffer, so that it may be written over.
    pub(crate) fn ends(&self, buffer: BufferId, i: usize) -> bool {
        let later = &self.steps[i + 1..];
        self.is_scratch(buffer)
            && !later.iter().any(|step| step.inputs.contains(&buffer) || step.outputs.contains(&buffer))
    }

    /// Puts the joined step in the place of step `i`; gives its index.
    pub(crate) fn replace(&mut self, i: usize, join: Join) -> usize {
        let Join { step, mut others, renamed } = join;
        self.steps[i] = step;
        if let Some([from, to]) = renamed {
            let later = self.steps[i + 1..].iter_mut();
            let ids = later.flat_map(|step| step.inputs.iter_mut().chain(&mut step.outputs));
            ids.filter(|id| **id == from).for_each(|id| *id = to);
        }
        others.sort_unstable();
        for other in others.iter().rev() {
            self.steps.remove(*other);
        }
        i - others.len()
    }
}
