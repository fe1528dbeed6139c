//! `y = round(x)`, shared out by tokens.

use hala_plan::ops::round::Params;

use super::{Machine, Scratch};
use crate::ops::round;
use crate::shared::Shared;

/// Tokens that one thread takes at a time.
const PIECE: usize = 8;

/// `x [T, I]`, `y [T, I]`
pub(crate) fn run(machine: &Machine, scratch: &mut Scratch, params: &Params, x: &[f32], y: &mut [f32]) {
    let n = params.n_columns as usize;
    let y = Shared::new(y);
    machine.pool.share(&mut scratch.locals, x.len() / n, PIECE, |_, tokens| {
        let range = tokens.start * n..tokens.end * n;
        // SAFETY: each token is given to one thread.
        round::run(params, &x[range.clone()], unsafe { y.part(range) });
    });
}
