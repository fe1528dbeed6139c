//! `y = round(x)`, token by token.

use hala_plan::ops::round::Params;

/// `x [T, I]`, `y [T, I]`
pub(crate) fn run(params: &Params, x: &[f32], y: &mut [f32]) {
    y.copy_from_slice(x);
    y.chunks_exact_mut(params.n_columns as usize).for_each(|row| params.rounding().row(row));
}
