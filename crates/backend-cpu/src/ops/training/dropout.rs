//! `y = x ⊙ m / (1 − rate)`, each element's draw by its index; a copy where the run evaluates.

use hala_plan::ops::training::dropout::Params;
use hala_plan::training::Purpose;

/// Elements `first..` of `x [T, D]` and `y [T, D]`
pub(crate) fn run(params: &Params, purpose: Purpose, first: usize, x: &[f32], y: &mut [f32]) {
    let Purpose::Train { seed } = purpose else { return y.copy_from_slice(x) };
    for (i, (x, y)) in x.iter().zip(y).enumerate() {
        *y = x * params.factor(seed, (first + i) as u64);
    }
}
