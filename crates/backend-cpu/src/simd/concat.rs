//! `y = [a, b, c]`, shared out by tokens.

use hala_plan::ops::concat::{MAX_PARTS, Params};

use super::{Machine, Scratch};
use crate::ops::concat;
use crate::shared::Shared;

/// Tokens that one thread takes at a time.
const PIECE: usize = 8;

/// `parts [T, Iᵢ]`, `y [T, ΣI]`
pub(crate) fn run(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    parts: [&[f32]; MAX_PARTS],
    y: &mut [f32],
) {
    let n = params.n_total();
    let n_tokens = y.len() / n;
    let y = Shared::new(y);
    machine.pool.share(&mut scratch.locals, n_tokens, PIECE, |_, tokens| {
        let mut own = parts;
        for (part, n) in own.iter_mut().zip(params.n_columns) {
            *part = &part[tokens.start * n as usize..tokens.end * n as usize];
        }
        // SAFETY: each token is given to one thread.
        concat::run(params, own, unsafe { y.part(tokens.start * n..tokens.end * n) });
    });
}
