//! `y = act(a) ⊙ b`, with `act(z)` either `silu(z) = z / (1 + e⁻ᶻ)` or `gelu(z) = z / 2 · (1 + tanh(√(2/π) · (z + 0.044715 z³)))`.
//!
//! Where `a` and `b` are products of one input, all three are one step, `swiglu`, where a backend has the kernel. Source: Shazeer, "GLU
//! Variants Improve Transformer", arXiv 2002.05202; Hendrycks and Gimpel, arXiv 1606.08415. Inputs: `a [T, F]`, `b [T, F]`. Outputs:
//! `y [T, F]`, another buffer than either.

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
}

impl Activation {
    /// As kernels read it: 1 for gelu, else silu.
    pub(super) fn code(self) -> u32 {
        (self == Self::GeluTanh).into()
    }

    /// What kernels read as this.
    pub(super) fn of_code(code: u32) -> Self {
        if code == 1 { Self::GeluTanh } else { Self::Silu }
    }
}

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// F, columns.
    pub n_columns: u32,
    /// 1 where gates pass through gelu, else through silu.
    pub gelu: u32,
}

/// The buffers and choices of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, F]`, the gate.
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
        let activation = Activation::of_code(params.gelu);
        Self { a: io.inputs[0], b: io.inputs[1], activation, y: io.outputs[0] }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, or `y` as `a` or `b`.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { a, b, activation, y } = self;
        let n_columns = declared.shape(a).n_columns();
        for x in [a, b] {
            declared.expect_beside(NAME, [x, y], n_columns)?;
        }
        let params = Params { n_columns: n_columns as u32, gelu: activation.code() };
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
