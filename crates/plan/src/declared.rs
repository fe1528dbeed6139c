//! The buffers that a Plan in the making has declared, and what ops check of them.

use hala_tensor::{DType, Shape};

use crate::buffer::{Axis, Buffer, BufferId};
use crate::error::PlanError;

/// The buffers declared so far, of a Plan for up to T rows a run.
#[derive(Debug)]
pub struct Declared {
    pub(crate) n_tokens: usize,
    pub(crate) buffers: Vec<Buffer>,
}

impl Declared {
    /// None yet.
    pub(crate) fn new(n_tokens: usize) -> Self {
        Self { n_tokens, buffers: Vec::new() }
    }

    /// T, the most rows that one run takes.
    pub fn n_tokens(&self) -> usize {
        self.n_tokens
    }

    /// Declares a buffer.
    pub(crate) fn push(&mut self, buffer: Buffer) -> BufferId {
        self.buffers.push(buffer);
        BufferId(self.buffers.len() as u32 - 1)
    }

    /// Declares f32 scratch with the rows of activations `x`.
    pub(crate) fn scratch_beside(&mut self, label: &str, x: BufferId, n_columns: usize) -> BufferId {
        let Buffer { shape, axis, .. } = *self.buffer(x);
        self.push(Buffer::activations(label, Shape::matrix(shape.n_rows(), n_columns), axis))
    }

    /// A buffer.
    pub fn buffer(&self, id: BufferId) -> &Buffer {
        &self.buffers[id.0 as usize]
    }

    /// The shape of a buffer.
    pub fn shape(&self, id: BufferId) -> Shape {
        self.buffer(id).shape
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

    /// Checks that a buffer is f32 activations of these rows and columns.
    pub(crate) fn expect_activations(
        &self,
        op: &'static str,
        id: BufferId,
        dims: [usize; 2],
    ) -> Result<(), PlanError> {
        self.expect(op, id, &dims)?;
        self.expect_dtype(op, id, "f32", |dtype| dtype == DType::F32)
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

    /// Checks that two buffers are f32 activations of the same rows and of so many columns, and not one buffer.
    pub(crate) fn expect_beside(
        &self,
        op: &'static str,
        [x, y]: [BufferId; 2],
        n_columns: usize,
    ) -> Result<(), PlanError> {
        self.expect_apart(op, x, y)?;
        let n_rows = self.n_rows_alike(op, x, y)?;
        self.expect_activations(op, x, [n_rows, n_columns])?;
        self.expect_activations(op, y, [n_rows, n_columns])
    }

    /// Refuses one buffer as both `x` and `y`, for ops that do not work in place.
    pub(crate) fn expect_apart(&self, op: &'static str, x: BufferId, y: BufferId) -> Result<(), PlanError> {
        if x != y {
            return Ok(());
        }
        Err(PlanError::Parameter { op, what: format!("{} as both x and y", self.buffer(x).label) })
    }
}

/// Refuses a parameter that is no number above 0.
pub(crate) fn expect_positive(op: &'static str, name: &str, value: f32) -> Result<(), PlanError> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(PlanError::Parameter { op, what: format!("a {name} of {value}, and it must be a number above 0") })
}
