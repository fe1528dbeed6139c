//! `y = act(a) ⊙ b`, with `act(z)` one of `silu(z) = z / (1 + e⁻ᶻ)`, `gelu(z) = z / 2 · (1 + tanh(√(2/π) · (z + 0.044715 z³)))` and
//! `sigmoid(z) = 1 / (1 + e⁻ᶻ)`. Each of the G columns of `a` is the gate of F / G columns of `b` side by side: of one, or of a head.
//!
//! Where `a` and `b` are products of one input, all three are one step, `swiglu`, where a backend has the kernel. Source: Shazeer, "GLU
//! Variants Improve Transformer", arXiv 2002.05202; Hendrycks and Gimpel, arXiv 1606.08415; gates of heads as in transformers'
//! `Lfm3Attention`. Inputs: `a [T, G]`, `b [T, F]`. Outputs: `y [T, F]`, another buffer than either.

use bytemuck::{Pod, Zeroable};

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Counted, Io, OpSpec, Record, Recorded, Work};

/// The op's name.
pub const NAME: &str = "gate";

/// What a gate is passed through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `z / (1 + e⁻ᶻ)`.
    Silu,
    /// `z / 2 · (1 + tanh(√(2/π) · (z + 0.044715 z³)))`.
    GeluTanh,
    /// `1 / (1 + e⁻ᶻ)`: the gate is a share of what it lets through.
    Sigmoid,
}

impl Activation {
    /// As kernels read it.
    pub(super) fn code(self) -> u32 {
        match self {
            Self::Silu => 0,
            Self::GeluTanh => 1,
            Self::Sigmoid => 2,
        }
    }

    /// What kernels read as this.
    pub fn of_code(code: u32) -> Self {
        match code {
            1 => Self::GeluTanh,
            2 => Self::Sigmoid,
            _ => Self::Silu,
        }
    }
}

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// F, columns.
    pub n_columns: u32,
    /// F / G, columns that share a gate.
    pub n_each: u32,
    /// What gates pass through: 0 silu, 1 gelu, 2 sigmoid.
    pub activation: u32,
}

/// The buffers and choices of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, G]`, the gates.
    pub a: BufferId,
    /// `[T, F]`, the values that are gated.
    pub b: BufferId,
    /// What gates pass through.
    pub activation: Activation,
    /// `[T, F]`.
    pub y: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        let activation = Activation::of_code(params.activation);
        Self { a: io.inputs[0], b: io.inputs[1], activation, y: io.outputs[0] }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, gates that do not have as many columns each, or `y` as `a` or `b`.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { a, b, activation, y } = self;
        let [n_gates, n_columns] = [a, b].map(|x| declared.shape(x).n_columns());
        if n_gates == 0 || !n_columns.is_multiple_of(n_gates) {
            let what = format!("{n_gates} gates of {n_columns} columns, and each must have as many");
            return Err(PlanError::Parameter { op: NAME, what });
        }
        for (x, n_columns) in [(a, n_gates), (b, n_columns)] {
            declared.expect_apart(NAME, x, y)?;
            let n_rows = declared.n_rows_alike(NAME, x, y)?;
            declared.expect_activations(NAME, x, [n_rows, n_columns])?;
        }
        let n_rows = declared.n_rows_alike(NAME, b, y)?;
        declared.expect_activations(NAME, y, [n_rows, n_columns])?;
        let n_each = (n_columns / n_gates) as u32;
        let params = Params { n_columns: n_columns as u32, n_each, activation: activation.code() };
        Ok(Recorded { params, inputs: vec![a, b], outputs: vec![y] })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn work(&self, _run: &Counted<'_>) -> Work {
        Work { sizes: self.n_columns.to_string(), ..Work::default() }
    }
}
