//! Records a Plan: buffers are declared, ops appended, and scratch memory placed at the end.

use hala_tensor::{DType, Shape};

use crate::buffer::{Axis, Buffer, BufferId, BufferKind, StateId, StateSpec, WeightId};
use crate::error::PlanError;
use crate::ops::Op;
use crate::place::place;
use crate::plan::{Plan, Step};

/// A Plan in the making. Each op adds a method in its own module, `ops/<op>.rs`.
#[derive(Debug)]
pub struct Recorder {
    label: String,
    n_tokens: usize,
    buffers: Vec<Buffer>,
    steps: Vec<Step>,
}

impl Recorder {
    /// An empty Plan for up to `n_tokens` rows a run.
    pub fn new(label: &str, n_tokens: usize) -> Self {
        Self { label: label.to_owned(), n_tokens, buffers: Vec::new(), steps: Vec::new() }
    }

    /// T, the most rows that one run takes.
    pub fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    fn add(&mut self, buffer: Buffer) -> BufferId {
        self.buffers.push(buffer);
        BufferId(self.buffers.len() as u32 - 1)
    }

    /// A buffer of f32 activations.
    fn activations(&mut self, label: &str, shape: Shape, kind: BufferKind, axis: Axis) -> BufferId {
        self.add(Buffer { label: label.to_owned(), shape, dtype: DType::F32, kind, axis })
    }

    /// The token ids of a run, `[T]`.
    pub fn ids(&mut self) -> BufferId {
        let (label, shape) = (String::from("ids"), Shape::vector(self.n_tokens));
        self.add(Buffer { label, shape, dtype: DType::U32, kind: BufferKind::Input, axis: Axis::Rows })
    }

    /// A weight of the model.
    pub fn weight(&mut self, id: WeightId, label: &str, shape: Shape, dtype: DType) -> BufferId {
        let (label, kind) = (label.to_owned(), BufferKind::Weight(id));
        self.add(Buffer { label, shape, dtype, kind, axis: Axis::Fixed })
    }

    /// A state of the sequences; its shape is that of one page or slot.
    pub fn state(&mut self, id: StateId, spec: &StateSpec) -> BufferId {
        let (label, kind) = (spec.label.clone(), BufferKind::State(id, spec.kind));
        self.add(Buffer { label, shape: spec.shape, dtype: spec.dtype, kind, axis: Axis::Fixed })
    }

    /// An f32 buffer that lives between steps; its rows are those of the run.
    pub fn scratch(&mut self, label: &str, shape: Shape) -> BufferId {
        self.activations(label, shape, BufferKind::Scratch { slot: 0 }, Axis::Rows)
    }

    /// As [`Recorder::scratch`], for the rows whose logits are wanted.
    pub fn scratch_of_wanted(&mut self, label: &str, shape: Shape) -> BufferId {
        self.activations(label, shape, BufferKind::Scratch { slot: 0 }, Axis::Wanted)
    }

    /// An f32 buffer that the caller reads after a run; its rows are those of the run.
    pub fn output(&mut self, label: &str, shape: Shape) -> BufferId {
        self.activations(label, shape, BufferKind::Output, Axis::Rows)
    }

    /// As [`Recorder::output`], for the rows whose logits are wanted.
    pub fn output_of_wanted(&mut self, label: &str, shape: Shape) -> BufferId {
        self.activations(label, shape, BufferKind::Output, Axis::Wanted)
    }

    /// A buffer declared before.
    pub fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }

    /// The shape of a buffer declared before.
    pub fn shape(&self, id: BufferId) -> Shape {
        self.buffer(id).shape
    }

    pub(crate) fn push(&mut self, op: Op, inputs: Vec<BufferId>, outputs: Vec<BufferId>) {
        self.steps.push(Step { op, inputs, outputs });
    }

    /// Checks a buffer's dimensions against the op's.
    pub(crate) fn expect(&self, op: &'static str, id: BufferId, dims: &[usize]) -> Result<(), PlanError> {
        let buffer = self.buffer(id);
        if buffer.shape.dims() == dims {
            return Ok(());
        }
        let expected = format!("{dims:?}");
        Err(PlanError::Shape { op, label: buffer.label.clone(), found: buffer.shape, expected })
    }

    /// Checks that a buffer holds one of these element types.
    pub(crate) fn expect_dtype(
        &self,
        op: &'static str,
        id: BufferId,
        expected: &'static str,
        fits: fn(DType) -> bool,
    ) -> Result<(), PlanError> {
        let buffer = self.buffer(id);
        if fits(buffer.dtype) {
            return Ok(());
        }
        Err(PlanError::DType { op, label: buffer.label.clone(), found: buffer.dtype, expected })
    }

    /// The rows of two buffers of activations that an op goes through side by side.
    pub(crate) fn n_rows_alike(
        &self,
        op: &'static str,
        x: BufferId,
        y: BufferId,
    ) -> Result<usize, PlanError> {
        let [x, y] = [x, y].map(|id| self.buffer(id));
        if x.axis == y.axis && x.axis != Axis::Fixed {
            let is_all = x.axis == Axis::Rows;
            return Ok(if is_all { self.n_tokens } else { x.shape.n_rows() });
        }
        let what = format!("{} has other rows ({:?}) than {} ({:?})", y.label, y.axis, x.label, x.axis);
        Err(PlanError::Parameter { op, what })
    }

    /// Refuses one buffer as both `x` and `y`, for ops that do not work in place.
    pub(crate) fn expect_apart(&self, op: &'static str, x: BufferId, y: BufferId) -> Result<(), PlanError> {
        if x != y {
            return Ok(());
        }
        Err(PlanError::Parameter { op, what: format!("{} as both x and y", self.buffer(x).label) })
    }

    /// The Plan, its scratch buffers placed.
    pub fn finish(mut self) -> Plan {
        let slots = place(&mut self.buffers, &self.steps);
        let Self { label, n_tokens, buffers, steps } = self;
        Plan { label, n_tokens, buffers, steps, slots }
    }
}

/// Refuses a parameter that is no number above 0.
pub(crate) fn expect_positive(op: &'static str, name: &str, value: f32) -> Result<(), PlanError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(PlanError::Parameter { op, what: format!("a {name} of {value}, and it must be a number above 0") })
}
