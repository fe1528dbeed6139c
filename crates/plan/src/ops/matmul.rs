//! `y = x̂ · Wᵀ + b`, or `y += x̂ · Wᵀ + b`, where `x̂` is `x` or its RMS norm `w · x / √(mean(x²) + ε)`.
//!
//! Up to three matrices of the same width are taken as one, their outputs side by side: q, k and v are one step.
//! Inputs: `x [T, I]`, the matrices `[Oᵢ, I]`, then `norm [I]` and `bias [ΣO]` where present. Outputs: `y [T, ΣO]`. The rows may be
//! those whose logits are wanted instead of all of the run.

use bytemuck::{Pod, Zeroable};

use crate::buffer::{Buffer, BufferId};
use crate::declared::Declared;
use crate::error::PlanError;
pub use crate::spec::Norm;
use crate::spec::{Counted, Io, OpSpec, Products, Record, Recorded, Work};
use crate::tolerance::{Tolerance, of_matrices, product_in_model};

/// The op's name.
pub const NAME: &str = "matmul";

/// The most matrices in one step.
pub const MAX_WEIGHTS: usize = 3;

/// What happens to the values that `y` had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// They are replaced.
    Set,
    /// They are added to: the residual stream.
    Add,
}

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// I, columns of every matrix.
    pub n_in: u32,
    /// Rows of each matrix; 0 past the last one.
    pub n_out: [u32; MAX_WEIGHTS],
    /// 1 where `x` is normalised first.
    pub norm: u32,
    /// ε of the norm.
    pub eps: f32,
    /// 1 where a bias is added.
    pub bias: u32,
    /// 1 where the product is added to `y`.
    pub add: u32,
}

impl Params {
    /// ΣO, the columns of `y`.
    pub fn n_out_total(&self) -> usize {
        self.n_out.iter().map(|n| *n as usize).sum()
    }
}

/// The buffers and choices of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args<'a> {
    /// `[T, I]`.
    pub x: BufferId,
    /// The norm before the product.
    pub norm: Option<Norm>,
    /// 1 to 3 matrices `[Oᵢ, I]`.
    pub weights: &'a [BufferId],
    /// `[ΣO]`, f32.
    pub bias: Option<BufferId>,
    /// `[T, ΣO]`.
    pub y: BufferId,
    /// Replace or add.
    pub write: Write,
}

impl<'a> Args<'a> {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'a>, params: &Params) -> Self {
        let n_weights = params.n_out.iter().filter(|n| **n > 0).count();
        let mut rest = io.inputs[1 + n_weights..].iter().copied();
        let norm = (params.norm == 1).then(|| rest.next()).flatten();
        let bias = (params.bias == 1).then(|| rest.next()).flatten();
        Self {
            x: io.inputs[0],
            norm: norm.map(|weight| Norm { weight, eps: params.eps }),
            weights: &io.inputs[1..1 + n_weights],
            bias,
            y: io.outputs[0],
            write: if params.add == 1 { Write::Add } else { Write::Set },
        }
    }
}

impl Record for Args<'_> {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, or a number of matrices other than 1 to 3.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let args = self;
        let params = args.params(declared)?;
        let n_rows = declared.n_rows_alike(NAME, args.x, args.y)?;
        declared.expect_activations(NAME, args.x, [n_rows, params.n_in as usize])?;
        declared.expect_activations(NAME, args.y, [n_rows, params.n_out_total()])?;
        let mut inputs = vec![args.x];
        inputs.extend_from_slice(args.weights);
        if let Some(norm) = args.norm {
            declared.expect(NAME, norm.weight, &[params.n_in as usize])?;
            inputs.push(norm.weight);
        }
        if let Some(bias) = args.bias {
            declared.expect(NAME, bias, &[params.n_out_total()])?;
            inputs.push(bias);
        }
        if args.write == Write::Add {
            inputs.push(args.y);
        }
        Ok(Recorded { params, inputs, outputs: vec![args.y] })
    }
}

impl Args<'_> {
    /// The sizes and choices.
    fn params(&self, declared: &Declared) -> Result<Params, PlanError> {
        if self.weights.is_empty() || self.weights.len() > MAX_WEIGHTS {
            let what = format!("{} matrices, and 1 to {MAX_WEIGHTS} are possible", self.weights.len());
            return Err(PlanError::Parameter { op: NAME, what });
        }
        let n_in = declared.shape(self.x).n_columns();
        let mut n_out = [0; MAX_WEIGHTS];
        for (n, id) in n_out.iter_mut().zip(self.weights) {
            let n_rows = declared.shape(*id).n_rows();
            declared.expect(NAME, *id, &[n_rows, n_in])?;
            *n = n_rows as u32;
        }
        Ok(Params {
            n_in: n_in as u32,
            n_out,
            norm: self.norm.is_some().into(),
            eps: self.norm.map_or(0.0, |n| n.eps),
            bias: self.bias.is_some().into(),
            add: (self.write == Write::Add).into(),
        })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn products(&self, io: Io<'_>) -> Option<Products> {
        let Args { x, norm, weights, .. } = Args::of(io, self);
        Some(Products { x, norm, matrices: weights.to_vec() })
    }

    fn tolerance(&self, io: Io<'_>, buffers: &[Buffer], _output: BufferId) -> Option<Tolerance> {
        self.products(io).map(|products| of_matrices(&products.matrices, buffers, product_in_model))
    }

    fn adds(&self) -> bool {
        self.add == 1
    }

    fn work(&self, run: &Counted<'_>) -> Work {
        let sizes = format!("{} → {}", self.n_in, self.n_out_total());
        Work::of_products(sizes, self.products(run.io), run)
    }
}
