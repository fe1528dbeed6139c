//! `y = [a, b, c]`: the columns of two or three buffers side by side.
//!
//! Products of one input that end in it are one step, where a backend has the kernel: queries, keys and values. Inputs: the parts
//! `[T, Iᵢ]`. Outputs: `y [T, ΣI]`, another buffer than any of them.

use bytemuck::{Pod, Zeroable};

use super::matmul::MAX_WEIGHTS;
use crate::buffer::{Buffer, BufferId};
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Counted, Io, OpSpec, Record, Recorded, Work};
use crate::tolerance::{EXACT, Tolerance};

/// The op's name.
pub const NAME: &str = "concat";

/// The most parts: as many as a product has matrices.
pub const MAX_PARTS: usize = MAX_WEIGHTS;

/// Sizes, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// Columns of each part; 0 past the last one.
    pub n_columns: [u32; MAX_PARTS],
}

impl Params {
    /// ΣI, the columns of `y`.
    pub fn n_total(&self) -> usize {
        self.n_columns.iter().map(|n| *n as usize).sum()
    }
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args<'a> {
    /// 2 or 3 of `[T, Iᵢ]`.
    pub parts: &'a [BufferId],
    /// `[T, ΣI]`.
    pub y: BufferId,
}

impl<'a> Args<'a> {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'a>) -> Self {
        Self { parts: io.inputs, y: io.outputs[0] }
    }
}

impl Record for Args<'_> {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, `y` as a part, or a number of parts other than 2 or 3.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { parts, y } = self;
        if !(2..=MAX_PARTS).contains(&parts.len()) {
            let what = format!("{} parts, and 2 to {MAX_PARTS} are possible", parts.len());
            return Err(PlanError::Parameter { op: NAME, what });
        }
        let mut params = Params { n_columns: [0; MAX_PARTS] };
        for (n, part) in params.n_columns.iter_mut().zip(parts) {
            let n_columns = declared.shape(*part).n_columns();
            declared.expect_apart(NAME, *part, y)?;
            let n_rows = declared.n_rows_alike(NAME, *part, y)?;
            declared.expect_activations(NAME, *part, [n_rows, n_columns])?;
            *n = n_columns as u32;
        }
        let n_rows = declared.n_rows_alike(NAME, y, y)?;
        declared.expect_activations(NAME, y, [n_rows, params.n_total()])?;
        Ok(Recorded { params, inputs: parts.to_vec(), outputs: vec![y] })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tolerance(&self, _io: Io<'_>, _buffers: &[Buffer], _output: BufferId) -> Option<Tolerance> {
        Some(EXACT)
    }

    fn work(&self, _run: &Counted<'_>) -> Work {
        Work { sizes: self.n_total().to_string(), ..Work::default() }
    }
}
