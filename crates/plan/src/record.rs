//! Records a Plan: buffers are declared, ops appended, and scratch memory placed at the end.

use hala_tensor::{DType, Shape};

use crate::buffer::{Axis, Buffer, BufferId, BufferKind, StateId, StateSpec, WeightId};
use crate::declared::Declared;
use crate::error::PlanError;
use crate::ops::Op;
use crate::place::place;
use crate::plan::Plan;
use crate::spec::Record;
use crate::step::Step;

/// A Plan in the making; each op's [`Record`] says how it becomes a step.
#[derive(Debug)]
pub struct Recorder {
    label: String,
    declared: Declared,
    steps: Vec<Step>,
}

impl Recorder {
    /// An empty Plan for up to `n_tokens` rows a run.
    pub fn new(label: &str, n_tokens: usize) -> Self {
        Self { label: label.to_owned(), declared: Declared::new(n_tokens), steps: Vec::new() }
    }

    /// T, the most rows that one run takes.
    pub fn n_tokens(&self) -> usize {
        self.declared.n_tokens()
    }

    /// The token ids of a run, `[T]`.
    pub fn ids(&mut self) -> BufferId {
        let (label, shape) = (String::from("ids"), Shape::vector(self.n_tokens()));
        self.declared.push(Buffer {
            label,
            shape,
            dtype: DType::U32,
            kind: BufferKind::Input,
            axis: Axis::Rows,
        })
    }

    /// A weight of the model.
    pub fn weight(&mut self, id: WeightId, label: &str, shape: Shape, dtype: DType) -> BufferId {
        let (label, kind) = (label.to_owned(), BufferKind::Weight(id));
        self.declared.push(Buffer { label, shape, dtype, kind, axis: Axis::Fixed })
    }

    /// A state of the sequences; its shape is that of one page or slot.
    pub fn state(&mut self, id: StateId, spec: &StateSpec) -> BufferId {
        let (label, kind) = (spec.label.clone(), BufferKind::State(id, spec.kind));
        self.declared.push(Buffer { label, shape: spec.shape, dtype: spec.dtype, kind, axis: Axis::Fixed })
    }

    /// A buffer that lives between steps; its rows are those of the run.
    pub fn scratch(&mut self, label: &str, shape: Shape, dtype: DType) -> BufferId {
        self.declared.push(Buffer { dtype, ..Buffer::activations(label, shape, Axis::Rows) })
    }

    /// As [`Recorder::scratch`], for the rows whose logits are wanted.
    pub fn scratch_of_wanted(&mut self, label: &str, shape: Shape, dtype: DType) -> BufferId {
        self.declared.push(Buffer { dtype, ..Buffer::activations(label, shape, Axis::Wanted) })
    }

    /// As [`Recorder::scratch`], f32, with the rows of activations `x`.
    pub fn scratch_beside(&mut self, label: &str, x: BufferId, n_columns: usize) -> BufferId {
        self.declared.scratch_beside(label, x, n_columns)
    }

    /// An f32 buffer that the caller reads after a run; its rows are those of the run.
    pub fn output(&mut self, label: &str, shape: Shape) -> BufferId {
        let kind = BufferKind::Output;
        self.declared.push(Buffer { kind, ..Buffer::activations(label, shape, Axis::Rows) })
    }

    /// As [`Recorder::output`], for the rows whose logits are wanted.
    pub fn output_of_wanted(&mut self, label: &str, shape: Shape) -> BufferId {
        let kind = BufferKind::Output;
        self.declared.push(Buffer { kind, ..Buffer::activations(label, shape, Axis::Wanted) })
    }

    /// A buffer declared before.
    pub fn buffer(&self, id: BufferId) -> &Buffer {
        self.declared.buffer(id)
    }

    /// The shape of a buffer declared before.
    pub fn shape(&self, id: BufferId) -> Shape {
        self.declared.shape(id)
    }

    /// Appends a step.
    ///
    /// # Errors
    /// Buffers that do not fit together, or a parameter that the op does not support.
    pub fn add<A: Record>(&mut self, args: A) -> Result<(), PlanError>
    where
        Op: From<A::Params>,
    {
        self.steps.push(Step::of(args, &self.declared)?);
        Ok(())
    }

    /// The Plan, its scratch buffers placed.
    pub fn finish(mut self) -> Plan {
        let (slots, n_tokens) =
            (place(&mut self.declared.buffers, self.steps.iter().map(Step::io)), self.n_tokens());
        Plan { label: self.label, n_tokens, buffers: self.declared.buffers, steps: self.steps, slots }
    }
}
