//! The gradient of a norm, of its input and of its weights.
//!
//! With `r = 1 / √(mean((x − m)²) + ε)`, `x̂ = (x − m) · r` and `g = w ⊙ dy`: `dx = r · (g − m(g) − x̂ · mean(g ⊙ x̂))`, or that added to `dx`, and
//! `dw += Σₜ dy[t] ⊙ x̂[t]`. `m` is 0 for an RMS norm, and the mean for a layer norm. Inputs: `x [T, D]`, `weight [D]`, `dy [T, D]`, then `dx` where
//! it is added to. Outputs: `dx [T, D]`, `dw [D]`.

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::ops::matmul::Write;
use crate::ops::norm::Kind;
use crate::spec::{Io, Norm, Record, Recorded};

/// The op's name.
pub const NAME: &str = "norm_backward";

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Params {
    /// D, columns.
    pub width: u32,
    /// ε.
    pub eps: f32,
    /// 1 where the mean is taken from `x` first.
    pub layer: u32,
    /// 1 where the result is added to `dx`.
    pub add: u32,
}

/// The buffers and choices of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, D]`.
    pub x: BufferId,
    /// The weights and ε.
    pub norm: Norm,
    /// RMS or layer norm.
    pub kind: Kind,
    /// `[T, D]`.
    pub dy: BufferId,
    /// `[T, D]`.
    pub dx: BufferId,
    /// `[D]`.
    pub dw: BufferId,
    /// Replace or add.
    pub write: Write,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        Self {
            x: io.inputs[0],
            norm: Norm { weight: io.inputs[1], eps: params.eps },
            kind: if params.layer == 1 { Kind::Layer } else { Kind::Rms },
            dy: io.inputs[2],
            dx: io.outputs[0],
            dw: io.outputs[1],
            write: if params.add == 1 { Write::Add } else { Write::Set },
        }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, or `dx` as `x` or `dy`.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { x, norm, kind, dy, dx, dw, write } = self;
        let width = declared.shape(x).n_columns();
        for other in [x, dy] {
            declared.expect_beside(NAME, [other, dx], width)?;
        }
        declared.expect(NAME, norm.weight, &[width])?;
        declared.expect(NAME, dw, &[width])?;
        let mut inputs = vec![x, norm.weight, dy];
        if write == Write::Add {
            inputs.push(dx);
        }
        let params = Params {
            width: width as u32,
            eps: norm.eps,
            layer: (kind == Kind::Layer).into(),
            add: (write == Write::Add).into(),
        };
        Ok(Recorded { params, inputs, outputs: vec![dx, dw] })
    }
}
