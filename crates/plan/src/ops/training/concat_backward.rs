//! `[da, db, dc] = dy`: the columns of a buffer apart again.
//!
//! Inputs: `dy [T, ΣI]`. Outputs: 2 or 3 parts `[T, Iᵢ]`.

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::ops::concat::MAX_PARTS;
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "concat_backward";

/// Sizes, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Params {
    /// Columns of each part; 0 past the last one.
    pub n_columns: [u32; MAX_PARTS],
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args<'a> {
    /// `[T, ΣI]`.
    pub dy: BufferId,
    /// 2 or 3 of `[T, Iᵢ]`.
    pub parts: &'a [BufferId],
}

impl<'a> Args<'a> {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'a>) -> Self {
        Self { dy: io.inputs[0], parts: io.outputs }
    }
}

impl Record for Args<'_> {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, or a number of parts other than 2 or 3.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { dy, parts } = self;
        if !(2..=MAX_PARTS).contains(&parts.len()) {
            let what = format!("{} parts, and 2 to {MAX_PARTS} are possible", parts.len());
            return Err(PlanError::Parameter { op: NAME, what });
        }
        let mut params = Params { n_columns: [0; MAX_PARTS] };
        for (n, part) in params.n_columns.iter_mut().zip(parts) {
            let n_columns = declared.shape(*part).n_columns();
            let n_rows = declared.n_rows_alike(NAME, *part, dy)?;
            declared.expect_activations(NAME, *part, [n_rows, n_columns])?;
            *n = n_columns as u32;
        }
        let total = params.n_columns.iter().map(|n| *n as usize).sum();
        declared.expect_activations(NAME, dy, [declared.n_tokens(), total])?;
        Ok(Recorded { params, inputs: vec![dy], outputs: parts.to_vec() })
    }
}
