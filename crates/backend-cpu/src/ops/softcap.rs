//! `x = cap · tanh(x / cap)`, in place, in f64.

use hala_plan::ops::softcap::Params;

/// `x [T, I]`
pub(crate) fn run(params: &Params, x: &mut [f32]) {
    let cap = f64::from(params.cap);
    x.iter_mut().for_each(|x| *x = (cap * (f64::from(*x) / cap).tanh()) as f32);
}
