//! `y[t] = table[ids[t]] · scale`
//!
//! Inputs: `ids [T]` u32, `table [V, D]`. Outputs: `y [T, D]` f32.

use bytemuck::{Pod, Zeroable};

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Counted, Io, OpSpec, Record, Recorded, Work};

/// The op's name.
pub const NAME: &str = "embed";

/// Sizes, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
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
    /// `[T]`, u32.
    pub ids: BufferId,
    /// `[V, D]`, any weight type.
    pub table: BufferId,
    /// Factor of every row, usually 1.
    pub scale: f32,
    /// `[T, D]`.
    pub y: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        Self { ids: io.inputs[0], table: io.inputs[1], scale: params.scale, y: io.outputs[0] }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { ids, table, scale, y } = self;
        let (n_vocab, width) = (declared.shape(table).n_rows(), declared.shape(table).n_columns());
        declared.expect(NAME, table, &[n_vocab, width])?;
        declared.expect(NAME, ids, &[declared.n_tokens()])?;
        declared.expect_activations(NAME, y, [declared.n_tokens(), width])?;
        let params = Params { n_vocab: n_vocab as u32, width: width as u32, scale };
        Ok(Recorded { params, inputs: vec![ids, table], outputs: vec![y] })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn n_ids(&self) -> Option<usize> {
        Some(self.n_vocab as usize)
    }

    fn work(&self, run: &Counted<'_>) -> Work {
        let n_bytes = run.n_bytes(run.io.inputs[1]) / self.n_vocab as usize * run.n_tokens;
        Work { sizes: self.width.to_string(), n_bytes, n_flops: 0 }
    }
}
