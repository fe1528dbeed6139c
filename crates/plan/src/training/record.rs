//! Records a training Plan: buffers are declared, ops appended, what nobody reads is left out, and memory is placed at the end.

use std::collections::BTreeSet;

use hala_tensor::{DType, Shape};

use crate::buffer::{Axis, Buffer, BufferId, BufferKind, WeightId};
use crate::declared::Declared;
use crate::error::PlanError;
use crate::ops::training::TrainOp;
use crate::place::place;
use crate::spec::{Record, Recorded};
use crate::training::plan::TrainPlan;
use crate::training::step::TrainStep;

/// A training Plan in the making.
#[derive(Debug)]
pub struct TrainRecorder {
    pub(crate) declared: Declared,
    pub(crate) steps: Vec<TrainStep>,
    n_forward: usize,
}

impl TrainRecorder {
    /// An empty Plan for up to `n_tokens` rows a run.
    pub fn new(n_tokens: usize) -> Self {
        Self::with(n_tokens, Vec::new())
    }

    /// An empty Plan that has buffers already.
    pub(crate) fn with(n_tokens: usize, buffers: Vec<Buffer>) -> Self {
        Self { declared: Declared { n_tokens, buffers }, steps: Vec::new(), n_forward: 0 }
    }

    /// Declares a buffer.
    fn push(&mut self, label: &str, shape: Shape, (kind, axis): (BufferKind, Axis)) -> BufferId {
        let buffer = Buffer { label: label.to_owned(), shape, dtype: DType::F32, kind, axis };
        self.declared.push(buffer)
    }

    /// Activations `[T, n_columns]`, which live between two steps.
    pub fn scratch(&mut self, label: &str, n_columns: usize) -> BufferId {
        let shape = Shape::matrix(self.declared.n_tokens(), n_columns);
        self.push(label, shape, (BufferKind::Scratch { slot: 0 }, Axis::Rows))
    }

    /// Room for what a step puts aside, whatever the rows of the run.
    pub fn room(&mut self, label: &str, shape: Shape) -> BufferId {
        self.push(label, shape, (BufferKind::Scratch { slot: 0 }, Axis::Fixed))
    }

    /// `[T, n_columns]` that the caller writes before a run or reads after it.
    pub fn output(&mut self, label: &str, n_columns: usize) -> BufferId {
        let shape = Shape::matrix(self.declared.n_tokens(), n_columns);
        self.push(label, shape, (BufferKind::Output, Axis::Rows))
    }

    /// The token ids of a run, `[T]`.
    pub fn ids(&mut self) -> BufferId {
        let shape = Shape::vector(self.declared.n_tokens());
        let id = self.push("ids", shape, (BufferKind::Input, Axis::Rows));
        self.declared.buffers[id.0 as usize].dtype = DType::U32;
        id
    }

    /// A parameter.
    pub fn param(&mut self, id: WeightId, label: &str, shape: Shape) -> BufferId {
        self.push(label, shape, (BufferKind::Param(id), Axis::Fixed))
    }

    /// A table that is computed, and not trained.
    pub fn table(&mut self, id: WeightId, label: &str, shape: Shape) -> BufferId {
        self.push(label, shape, (BufferKind::Weight(id), Axis::Fixed))
    }

    /// The gradient of a parameter that was declared; the same buffer each time.
    ///
    /// # Errors
    /// A buffer that is no parameter.
    pub fn grad(&mut self, param: BufferId) -> Result<BufferId, PlanError> {
        let Buffer { label, shape, kind, .. } = self.declared.buffer(param).clone();
        let BufferKind::Param(id) = kind else {
            let what = format!("{label} is no parameter, so it has no gradient");
            return Err(PlanError::Parameter { op: "grad", what });
        };
        let is_it = |buffer: &Buffer| buffer.kind == BufferKind::Grad(id);
        Ok(match self.declared.buffers.iter().position(is_it) {
            Some(idx) => BufferId(idx as u32),
            None => self.push(&format!("d {label}"), shape, (BufferKind::Grad(id), Axis::Fixed)),
        })
    }

    /// The shape of a buffer declared before.
    pub fn shape(&self, id: BufferId) -> Shape {
        self.declared.shape(id)
    }

    /// Appends a step; `op` is the variant of its parameters.
    ///
    /// # Errors
    /// Buffers that do not fit together, or a parameter that the op does not support.
    pub fn add<A: Record>(&mut self, args: A, op: fn(A::Params) -> TrainOp) -> Result<(), PlanError> {
        let Recorded { params, inputs, outputs } = args.record(&self.declared)?;
        self.steps.push(TrainStep { op: op(params), inputs, outputs });
        Ok(())
    }

    /// Ends the forward pass: evaluation runs the steps up to here.
    pub fn end_forward(&mut self) {
        self.n_forward = self.steps.len();
    }

    /// The Plan, without steps that nobody reads, its memory placed.
    pub fn finish(mut self) -> TrainPlan {
        let is_read = self.read();
        let n_forward = is_read[..self.n_forward].iter().filter(|is_read| **is_read).count();
        let mut is_read = is_read.into_iter();
        self.steps.retain(|_| is_read.next().unwrap_or(true));
        let slots = place(&mut self.declared.buffers, self.steps.iter().map(TrainStep::io));
        let Declared { n_tokens, buffers } = self.declared;
        TrainPlan { n_tokens, buffers, steps: self.steps, n_forward, slots }
    }

    /// Of each step, whether a later one or the caller reads what it writes.
    fn read(&self) -> Vec<bool> {
        let mut wanted: BTreeSet<BufferId> = BTreeSet::new();
        let mut is_read = vec![false; self.steps.len()];
        for (is_read, step) in is_read.iter_mut().zip(&self.steps).rev() {
            *is_read = step.outputs.iter().any(|output| {
                let kind = self.declared.buffer(*output).kind;
                matches!(kind, BufferKind::Output | BufferKind::Grad(_)) || wanted.contains(output)
            });
            if *is_read {
                wanted.extend(&step.inputs);
            }
        }
        is_read
    }
}
