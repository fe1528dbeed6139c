//! `y[t] = table[ids[t]] · scale`
//!
//! Inputs: `ids [T]` u32, `table [V, D]`. Outputs: `y [T, D]` f32.

use bytemuck::{Pod, Zeroable};

use crate::buffer::BufferId;
use crate::error::PlanError;
use crate::ops::Op;
use crate::plan::Step;
use crate::record::Recorder;

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
    pub fn of(step: &Step, params: &Params) -> Self {
        Self { ids: step.inputs[0], table: step.inputs[1], scale: params.scale, y: step.outputs[0] }
    }
}

impl Recorder {
    /// Appends the op.
    ///
    /// # Errors
    /// Shapes that do not fit together.
    pub fn embed(&mut self, args: Args) -> Result<(), PlanError> {
        let Args { ids, table, scale, y } = args;
        let (n_vocab, width) = (self.shape(table).n_rows(), self.shape(table).n_columns());
        self.expect(NAME, table, &[n_vocab, width])?;
        self.expect(NAME, ids, &[self.n_tokens()])?;
        self.expect(NAME, y, &[self.n_tokens(), width])?;
        let params = Params { n_vocab: n_vocab as u32, width: width as u32, scale };
        self.push(Op::Embed(params), vec![ids, table], vec![y]);
        Ok(())
    }
}
