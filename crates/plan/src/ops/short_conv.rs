//! LFM2's gated short convolution with its input projection.
//!
//! `[B, C, X] = x̂ · Wᵀ + b` with `x̂` either `x` or its RMS norm; `u = B ⊙ X`; `v[t] = Σₖ taps[k] · u[t − (n_taps − 1) + k] + c`,
//! channel by channel and sequence by sequence; `y = C ⊙ v`. The values of `u` before a sequence's first row come from its slot of
//! `state`, which afterwards holds the last `n_taps − 1` of them, oldest first.
//!
//! Source: Liquid AI, LFM2, as published in transformers' `Lfm2ShortConv`. Inputs: `x [T, D]`, `in_proj [3D, D]`,
//! `taps [D, n_taps]`, slots of `state [n_taps − 1, D]`, then `norm [D]`, then `in_bias [3D]` and `conv_bias [D]`, where present.
//! Outputs: `y [T, D]`, `state`, and `projected [T, 3D]`: room for `[B, C, X]`, which a backend that keeps them in
//! registers leaves unwritten.

use bytemuck::{Pod, Zeroable};

use super::convolve::expect_taps;
use crate::buffer::{Buffer, BufferId};
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Counted, Io, Norm, OpSpec, Products, Record, Recorded, Work};
use crate::tolerance::{Tolerance, gated, of_matrices};

/// The op's name.
pub const NAME: &str = "short_conv";

/// Sizes, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// D, channels.
    pub width: u32,
    /// Taps of the convolution, at least 2.
    pub n_taps: u32,
    /// ε of the norm.
    pub eps: f32,
    /// 1 where both biases are added.
    pub bias: u32,
    /// 1 where `x` is normalised first.
    pub norm: u32,
}

/// The biases of the projection and of the convolution; a checkpoint has both or none.
#[derive(Debug, Clone, Copy)]
pub struct Bias {
    /// `[3D]`, f32.
    pub in_proj: BufferId,
    /// `[D]`, f32.
    pub conv: BufferId,
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, D]`.
    pub x: BufferId,
    /// The norm before the projection.
    pub norm: Option<Norm>,
    /// `[3D, D]`: rows of B, then C, then X.
    pub in_proj: BufferId,
    /// `[D, n_taps]`, f32, the newest input on the last tap.
    pub taps: BufferId,
    /// The biases.
    pub bias: Option<Bias>,
    /// Slots `[n_taps − 1, D]`, f32.
    pub state: BufferId,
    /// `[T, 3D]`.
    pub projected: BufferId,
    /// `[T, D]`.
    pub y: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        let [x, in_proj, taps, state] = [0, 1, 2, 3].map(|i| io.inputs[i]);
        let (norm, bias) = io.inputs[4..].split_at(params.norm as usize);
        let norm = norm.first().map(|weight| Norm { weight: *weight, eps: params.eps });
        let bias = (params.bias == 1).then(|| Bias { in_proj: bias[0], conv: bias[1] });
        Self { x, norm, in_proj, taps, bias, state, y: io.outputs[0], projected: io.outputs[2] }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, or fewer than 2 taps.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { x, norm, in_proj, taps, bias, state, projected, y } = self;
        let (width, n_taps) = (declared.shape(x).n_columns(), declared.shape(taps).n_columns());
        expect_taps(NAME, n_taps)?;
        declared.expect_activations(NAME, x, [declared.n_tokens(), width])?;
        declared.expect(NAME, in_proj, &[3 * width, width])?;
        declared.expect(NAME, taps, &[width, n_taps])?;
        declared.expect(NAME, state, &[n_taps - 1, width])?;
        declared.expect_activations(NAME, projected, [declared.n_tokens(), 3 * width])?;
        declared.expect_activations(NAME, y, [declared.n_tokens(), width])?;
        let mut inputs = vec![x, in_proj, taps, state];
        if let Some(norm) = norm {
            declared.expect(NAME, norm.weight, &[width])?;
            inputs.push(norm.weight);
        }
        if let Some(bias) = bias {
            declared.expect(NAME, bias.in_proj, &[3 * width])?;
            declared.expect(NAME, bias.conv, &[width])?;
            inputs.extend([bias.in_proj, bias.conv]);
        }
        let params = Params {
            width: width as u32,
            n_taps: n_taps as u32,
            eps: norm.map_or(0.0, |n| n.eps),
            bias: bias.is_some().into(),
            norm: norm.is_some().into(),
        };
        Ok(Recorded { params, inputs, outputs: vec![y, state, projected] })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn products(&self, io: Io<'_>) -> Option<Products> {
        let Args { x, norm, in_proj, .. } = Args::of(io, self);
        Some(Products { x, norm, matrices: vec![in_proj] })
    }

    fn tolerance(&self, io: Io<'_>, buffers: &[Buffer], output: BufferId) -> Option<Tolerance> {
        // A backend may keep those in registers.
        let is_room = output == Args::of(io, self).projected;
        let products = self.products(io).filter(|_| !is_room);
        products.map(|products| of_matrices(&products.matrices, buffers, gated))
    }

    fn work(&self, run: &Counted<'_>) -> Work {
        let sizes = self.width.to_string();
        Work::of_products(sizes, self.products(run.io), run)
    }
}
