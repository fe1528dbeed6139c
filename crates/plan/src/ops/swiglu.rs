//! `y = act(x̂ · W₁ᵀ) ⊙ (x̂ · W₃ᵀ)` with `x̂` either `x` or its RMS norm, and `act(z)` either `silu(z) = z / (1 + e⁻ᶻ)` or, as in
//! GeGLU, `gelu(z) = z / 2 · (1 + tanh(√(2/π) · (z + 0.044715 z³)))`.
//!
//! Source: Shazeer, "GLU Variants Improve Transformer", arXiv 2002.05202; Hendrycks and Gimpel, arXiv 1606.08415. Inputs:
//! `x [T, D]`, `w1 [F, D]`, `w3 [F, D]`, then `norm [D]` where present. Outputs: `y [T, F]`.

use bytemuck::{Pod, Zeroable};

use super::gate::Activation;
use crate::buffer::{Buffer, BufferId};
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Counted, Io, Norm, OpSpec, Products, Record, Recorded, Work};
use crate::tolerance::{Tolerance, gated, of_matrices};

/// The op's name.
pub const NAME: &str = "swiglu";

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// D, columns of both matrices.
    pub n_in: u32,
    /// F, rows of both matrices.
    pub n_out: u32,
    /// ε of the norm.
    pub eps: f32,
    /// 1 where `x` is normalised first.
    pub norm: u32,
    /// 1 where gates pass through gelu, else through silu.
    pub gelu: u32,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, D]`.
    pub x: BufferId,
    /// The norm before the products.
    pub norm: Option<Norm>,
    /// What gates pass through.
    pub activation: Activation,
    /// `[F, D]`, the gate.
    pub w1: BufferId,
    /// `[F, D]`, the values that are gated.
    pub w3: BufferId,
    /// `[T, F]`.
    pub y: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        let [x, w1, w3] = [0, 1, 2].map(|i| io.inputs[i]);
        let norm = io.inputs.get(3).map(|weight| Norm { weight: *weight, eps: params.eps });
        let activation = Activation::of_code(params.gelu);
        Self { x, norm, activation, w1, w3, y: io.outputs[0] }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, or gates that are shares.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { x, norm, activation, w1, w3, y } = self;
        if activation == Activation::Sigmoid {
            let what = "gates that pass through sigmoid, and silu or gelu is possible".to_owned();
            return Err(PlanError::Parameter { op: NAME, what });
        }
        let (n_in, n_out) = (declared.shape(x).n_columns(), declared.shape(w1).n_rows());
        let n_rows = declared.n_rows_alike(NAME, x, y)?;
        declared.expect_activations(NAME, x, [n_rows, n_in])?;
        let mut inputs = vec![x, w1, w3];
        if let Some(norm) = norm {
            declared.expect(NAME, norm.weight, &[n_in])?;
            inputs.push(norm.weight);
        }
        declared.expect(NAME, w1, &[n_out, n_in])?;
        declared.expect(NAME, w3, &[n_out, n_in])?;
        declared.expect_activations(NAME, y, [n_rows, n_out])?;
        let params = Params {
            n_in: n_in as u32,
            n_out: n_out as u32,
            eps: norm.map_or(0.0, |n| n.eps),
            norm: norm.is_some().into(),
            gelu: activation.code(),
        };
        Ok(Recorded { params, inputs, outputs: vec![y] })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn products(&self, io: Io<'_>) -> Option<Products> {
        let Args { x, norm, w1, w3, .. } = Args::of(io, self);
        Some(Products { x, norm, matrices: vec![w1, w3] })
    }

    fn tolerance(&self, io: Io<'_>, buffers: &[Buffer], _output: BufferId) -> Option<Tolerance> {
        self.products(io).map(|products| of_matrices(&products.matrices, buffers, gated))
    }

    fn work(&self, run: &Counted<'_>) -> Work {
        let sizes = format!("{} → {}", self.n_in, self.n_out);
        Work::of_products(sizes, self.products(run.io), run)
    }
}
