//! `y = x̂ · Wᵀ + b`, or added to `y`, for one to three matrices side by side.

use hala_plan::ops::matmul::{MAX_WEIGHTS, Params};

use super::inputs::{Norm, prepare};
use super::layout::N_ROWS;
use super::product::{Operand, Place, Products, products};
use super::{Machine, Scratch};
use crate::shared::Shared;
use crate::weight::Stored;

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `[T, I]`
    pub(crate) x: &'a [f32],
    /// `[I]`
    pub(crate) norm: Option<&'a [f32]>,
    /// Up to three `[Oᵢ, I]`; `None` past the last.
    pub(crate) weights: [Option<&'a Stored>; MAX_WEIGHTS],
    /// `[ΣO]`
    pub(crate) bias: Option<&'a [f32]>,
}

/// `y [T, ΣO]`
pub(crate) fn run(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    inputs: Inputs<'_>,
    y: &mut [f32],
) {
    let n_out = params.n_out_total();
    let norm = inputs.norm.map(|weight| Norm { weight, eps: params.eps });
    let prepared = prepare(machine, scratch, inputs.x, norm, inputs.weights);
    let (operands, n_tokens) = (prepared.operands, prepared.n_tokens);
    let n_units = operands.iter().flatten().map(|operand| operand.n_units()).sum();
    let side_by_side =
        SideBySide { operands, n_out, bias: inputs.bias, add: params.add == 1, y: Shared::new(y) };
    products(machine, prepared.locals, [n_units, n_tokens], &side_by_side);
}

/// Matrices one after the other, and `y [T, ΣO]`.
struct SideBySide<'a> {
    operands: [Option<Operand<'a>>; MAX_WEIGHTS],
    n_out: usize,
    bias: Option<&'a [f32]>,
    add: bool,
    y: Shared<'a, f32>,
}

impl<'a> SideBySide<'a> {
    /// The matrix of a unit, the unit's index within it, and the matrix's first column in `y`.
    #[inline(always)]
    fn find(&self, unit: usize) -> (Operand<'a>, usize, usize) {
        let [Some(mut operand), rest @ ..] = self.operands else { unreachable!("a product has a matrix") };
        let (mut idx, mut column) = (unit, 0);
        for next in rest.into_iter().flatten() {
            if idx < operand.n_units() {
                break;
            }
            (idx, column) = (idx - operand.n_units(), column + operand.n_rows());
            operand = next;
        }
        (operand, idx, column)
    }
}

impl<'a> Products<'a, 1> for SideBySide<'a> {
    fn operands(&self, unit: usize) -> [(Operand<'a>, usize); 1] {
        let (operand, idx, _) = self.find(unit);
        [(operand, idx)]
    }

    #[inline(always)]
    fn take(&self, place: Place, [sums]: [&[f32; N_ROWS]; 1]) {
        let (operand, idx, column) = self.find(place.unit);
        let n = N_ROWS.min(operand.n_rows() - idx * N_ROWS);
        let column = column + idx * N_ROWS;
        let start = place.token * self.n_out + column;
        // SAFETY: the columns of a unit belong to one thread.
        let y = unsafe { self.y.part(start..start + n) };
        let bias = self.bias.map(|bias| &bias[column..column + n]);
        write(y, sums, bias, self.add);
    }
}

#[inline(always)]
fn write(y: &mut [f32], sums: &[f32; N_ROWS], bias: Option<&[f32]>, add: bool) {
    let mut sums = *sums;
    if let Some(bias) = bias {
        for (sum, b) in sums.iter_mut().zip(bias) {
            *sum += b;
        }
    }
    if add {
        for (y, sum) in y.iter_mut().zip(sums) {
            *y += sum;
        }
    } else {
        y.copy_from_slice(&sums[..y.len()]);
    }
}
