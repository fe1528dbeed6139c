//! `y = silu(x̂ · W₁ᵀ) ⊙ (x̂ · W₃ᵀ)` with `x̂` the RMS norm of `x` and `silu(z) = z / (1 + e⁻ᶻ)`.
//!
//! Source: Shazeer, "GLU Variants Improve Transformer", arXiv 2002.05202. Inputs: `x [T, D]`, `w1 [F, D]`,
//! `w3 [F, D]`, `norm [D]`. Outputs: `y [T, F]`.

use bytemuck::{Pod, Zeroable};

use super::matmul::Norm;
use crate::{BufferId, Op, PlanError, Recorder, Step};

/// The op's name.
pub const NAME: &str = "swiglu";

/// Sizes, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// D, columns of both matrices.
    pub n_in: u32,
    /// F, rows of both matrices.
    pub n_out: u32,
    /// ε of the norm.
    pub eps: f32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, D]`.
    pub x: BufferId,
    /// The norm before the products.
    pub norm: Norm,
    /// `[F, D]`, the gate.
    pub w1: BufferId,
    /// `[F, D]`, the values that are gated.
    pub w3: BufferId,
    /// `[T, F]`.
    pub y: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(step: &Step, params: &Params) -> Self {
        let [x, w1, w3, weight] = [0, 1, 2, 3].map(|i| step.inputs[i]);
        Self { x, w1, w3, norm: Norm { weight, eps: params.eps }, y: step.outputs[0] }
    }
}

impl Recorder {
    /// Appends the op.
    ///
    /// # Errors
    /// Shapes that do not fit together.
    pub fn swiglu(&mut self, args: Args) -> Result<(), PlanError> {
        let Args { x, norm, w1, w3, y } = args;
        let (n_in, n_out) = (self.shape(x).n_columns(), self.shape(w1).n_rows());
        self.expect(NAME, x, &[self.n_tokens(), n_in])?;
        self.expect(NAME, norm.weight, &[n_in])?;
        self.expect(NAME, w1, &[n_out, n_in])?;
        self.expect(NAME, w3, &[n_out, n_in])?;
        self.expect(NAME, y, &[self.n_tokens(), n_out])?;
        let params = Params { n_in: n_in as u32, n_out: n_out as u32, eps: norm.eps };
        self.push(Op::Swiglu(params), vec![x, w1, w3, norm.weight], vec![y]);
        Ok(())
    }
}
