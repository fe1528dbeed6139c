//! `dtable[ids[t]] += scale · dy[t]`, in the order of the rows, so that the sum has the same bits each time.
//!
//! Inputs: `dy [T, D]`, and the ids of the run. Outputs: `dtable [V, D]`, which is added to.

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "embed_backward";

/// Sizes, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Params {
    /// V, rows of the table.
    pub n_vocab: u32,
    /// D, columns of the table.
    pub width: u32,
    /// Factor of every row.
    pub scale: f32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, D]`.
    pub dy: BufferId,
    /// `[V, D]`.
    pub dtable: BufferId,
    /// Factor of every row.
    pub scale: f32,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        Self { dy: io.inputs[0], dtable: io.outputs[0], scale: params.scale }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { dy, dtable, scale } = self;
        let [n_vocab, width] = [declared.shape(dtable).n_rows(), declared.shape(dtable).n_columns()];
        declared.expect_activations(NAME, dy, [declared.n_tokens(), width])?;
        let params = Params { n_vocab: n_vocab as u32, width: width as u32, scale };
        Ok(Recorded { params, inputs: vec![dy], outputs: vec![dtable] })
    }
}
