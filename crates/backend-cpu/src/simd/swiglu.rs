//! `y = silu(x̂ · W₁ᵀ) ⊙ (x̂ · W₃ᵀ)`, both products at once.

use hala_plan::ops::swiglu::Params;

use super::inputs::{Norm, prepare};
use super::layout::N_ROWS;
use super::math::{gelu, silu};
use super::product::{Operand, Place, Products, products};
use super::{Machine, Scratch};
use crate::shared::Shared;
use crate::weight::Stored;

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `[T, D]`
    pub(crate) x: &'a [f32],
    /// `[D]`
    pub(crate) norm: Option<&'a [f32]>,
    /// `[F, D]`
    pub(crate) w1: &'a Stored,
    /// `[F, D]`
    pub(crate) w3: &'a Stored,
}

/// `y [T, F]`
pub(crate) fn run(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    inputs: Inputs<'_>,
    y: &mut [f32],
) {
    let norm = inputs.norm.map(|weight| Norm { weight, eps: params.eps });
    let weights = [Some(inputs.w1), Some(inputs.w3)];
    let prepared = prepare(machine, scratch, inputs.x, norm, weights);
    let [Some(gate), Some(up)] = prepared.operands else { return };
    let gated = Gated { gate, up, params, y: Shared::new(y) };
    products(machine, prepared.locals, [gate.n_units(), prepared.n_tokens], &gated);
}

/// The two products, and `y [T, F]`.
struct Gated<'a> {
    gate: Operand<'a>,
    up: Operand<'a>,
    params: &'a Params,
    y: Shared<'a, f32>,
}

impl<'a> Products<'a, 2> for Gated<'a> {
    fn operands(&self, unit: usize) -> [(Operand<'a>, usize); 2] {
        [(self.gate, unit), (self.up, unit)]
    }

    #[inline(always)]
    fn take(&self, place: Place, [gate, up]: [&[f32; N_ROWS]; 2]) {
        let (column, n_out) = (place.unit * N_ROWS, self.params.n_out as usize);
        let n = N_ROWS.min(n_out - column);
        let start = place.token * n_out + column;
        // SAFETY: the columns of a unit belong to one thread.
        let y = unsafe { self.y.part(start..start + n) };
        let mut gated = *gate;
        // Loops, not closures: what is not inlined is not compiled for the instruction set.
        if self.params.gelu == 1 {
            for (gated, up) in gated.iter_mut().zip(up) {
                *gated = gelu(*gated) * up;
            }
        } else {
            for (gated, up) in gated.iter_mut().zip(up) {
                *gated = silu(*gated) * up;
            }
        }
        y.copy_from_slice(&gated[..n]);
    }
}
