//! `y = a + b`: the residual stream.
//!
//! Products and norms that end in such a sum have it in their epilogue, where a backend has the kernel. Inputs: `a [T, D]`, `b [T, D]`.
//! Outputs: `y [T, D]`, another buffer than either.

use bytemuck::{Pod, Zeroable};

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Counted, Io, OpSpec, Record, Recorded, Work};

/// The op's name.
pub const NAME: &str = "add";

/// Sizes, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// D, columns.
    pub width: u32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, D]`.
    pub a: BufferId,
    /// `[T, D]`.
    pub b: BufferId,
    /// `[T, D]`.
    pub y: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>) -> Self {
        Self { a: io.inputs[0], b: io.inputs[1], y: io.outputs[0] }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, or `y` as `a` or `b`.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { a, b, y } = self;
        let width = declared.shape(a).n_columns();
        for x in [a, b] {
            declared.expect_beside(NAME, [x, y], width)?;
        }
        Ok(Recorded { params: Params { width: width as u32 }, inputs: vec![a, b], outputs: vec![y] })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn work(&self, _run: &Counted<'_>) -> Work {
        Work { sizes: self.width.to_string(), ..Work::default() }
    }
}
