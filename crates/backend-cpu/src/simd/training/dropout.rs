//! `y = x ⊙ m / (1 − rate)`, shared out by elements.

use hala_plan::ops::training::dropout::Params;
use hala_plan::training::Purpose;

use super::engine::Engine;
use crate::ops::training::dropout as plain;
use crate::shared::Shared;

/// Elements that one thread takes at a time.
const PIECE: usize = 4096;

/// `x [T, D]`, `y [T, D]`
pub(crate) fn run(engine: &mut Engine, params: &Params, purpose: Purpose, x: &[f32], y: &mut [f32]) {
    let y = Shared::new(y);
    let Engine { machine, scratch, .. } = engine;
    machine.pool.share(&mut scratch.locals, x.len(), PIECE, |_, range| {
        // SAFETY: each element is given to one thread.
        let y = unsafe { y.part(range.clone()) };
        plain::run(params, purpose, range.start, &x[range], y);
    });
}
