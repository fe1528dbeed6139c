//! `y = N(x)`, or `y += N(x)`, with `N(x) = w · (x − m) / √(mean((x − m)²) + ε)`, token by token.
//!
//! `m` is 0 for an RMS norm (Zhang and Sennrich, arXiv 1910.07467), and the mean of `x` for a layer norm without a bias (Ba et al.,
//! arXiv 1607.06450). It is an op of its own where several ops read what is normalised, or none does: elsewhere products hold their
//! norm. Inputs: `x [T, D]`, `weight [D]`. Outputs: `y [T, D]`, another buffer than `x`.

use bytemuck::{Pod, Zeroable};

use super::matmul::Write;
use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Counted, Io, Norm, OpSpec, Record, Recorded, Work};

/// The op's name.
pub const NAME: &str = "norm";

/// What is taken from `x` first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: an RMS norm.
    Rms,
    /// Its mean: a layer norm.
    Layer,
}

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// D, columns.
    pub width: u32,
    /// ε.
    pub eps: f32,
    /// 1 where the mean is taken from `x` first.
    pub layer: u32,
    /// 1 where the result is added to `y`.
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
    pub y: BufferId,
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
            y: io.outputs[0],
            write: if params.add == 1 { Write::Add } else { Write::Set },
        }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, or one buffer as both `x` and `y`.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { x, norm, kind, y, write } = self;
        let width = declared.shape(x).n_columns();
        declared.expect_beside(NAME, [x, y], width)?;
        declared.expect(NAME, norm.weight, &[width])?;
        let mut inputs = vec![x, norm.weight];
        if write == Write::Add {
            inputs.push(y);
        }
        let params = Params {
            width: width as u32,
            eps: norm.eps,
            layer: (kind == Kind::Layer).into(),
            add: (write == Write::Add).into(),
        };
        Ok(Recorded { params, inputs, outputs: vec![y] })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn adds(&self) -> bool {
        self.add == 1
    }

    fn work(&self, _run: &Counted<'_>) -> Work {
        Work { sizes: self.width.to_string(), ..Work::default() }
    }
}
