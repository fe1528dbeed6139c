//! Records a Plan: buffers are declared, ops appended, and scratch memory placed at the end.

use hala_tensor::{DType, Shape};

use crate::{
    Buffer, BufferId, BufferKind, Op, Plan, PlanError, StateId, StateSpec, Step, WeightId, place::place,
};

/// A Plan in the making. Each op adds a method in its own module, `ops/<op>.rs`.
#[derive(Debug)]
pub struct Recorder {
    label: String,
    n_tokens: usize,
    buffers: Vec<Buffer>,
    steps: Vec<Step>,
}

impl Recorder {
    /// An empty Plan for up to `n_tokens` tokens a run.
    pub fn new(label: &str, n_tokens: usize) -> Self {
        Self { label: label.to_owned(), n_tokens, buffers: Vec::new(), steps: Vec::new() }
    }

    /// T, the most tokens that one run takes.
    pub fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    fn add(&mut self, label: &str, shape: Shape, dtype: DType, kind: BufferKind) -> BufferId {
        self.buffers.push(Buffer { label: label.to_owned(), shape, dtype, kind });
        BufferId(self.buffers.len() as u32 - 1)
    }

    /// The token ids of a run, `[T]`.
    pub fn ids(&mut self) -> BufferId {
        self.add("ids", Shape::vector(self.n_tokens), DType::U32, BufferKind::Input)
    }

    /// A weight of the model.
    pub fn weight(&mut self, id: WeightId, label: &str, shape: Shape, dtype: DType) -> BufferId {
        self.add(label, shape, dtype, BufferKind::Weight(id))
    }

    /// A state buffer of the session.
    pub fn state(&mut self, id: StateId, spec: &StateSpec) -> BufferId {
        self.add(&spec.label, spec.shape, spec.dtype, BufferKind::State(id))
    }

    /// An f32 buffer that lives between steps.
    pub fn scratch(&mut self, label: &str, shape: Shape) -> BufferId {
        self.add(label, shape, DType::F32, BufferKind::Scratch { slot: 0 })
    }

    /// An f32 buffer that the caller reads after a run.
    pub fn output(&mut self, label: &str, shape: Shape) -> BufferId {
        self.add(label, shape, DType::F32, BufferKind::Output)
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
