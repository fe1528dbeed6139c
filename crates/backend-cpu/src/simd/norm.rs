//! `y = N(x)`, or `y += N(x)`: an RMS or a layer norm, token by token.

use std::ops::Range;

use hala_plan::ops::norm::Params;

use super::isa::{Isa, Work};
use super::math::{square_sum, sum};
use super::scratch::at_least;
use super::{Machine, Scratch};
use crate::shared::Shared;

/// Tokens that one thread takes at a time.
const PIECE: usize = 8;

/// `x [T, D]`, `weight [D]`, `y [T, D]`
pub(crate) fn run(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    (x, weight): (&[f32], &[f32]),
    y: &mut [f32],
) {
    let n_tokens = x.len() / params.width as usize;
    let y = Shared::new(y);
    machine.pool.share(&mut scratch.locals, n_tokens, PIECE, |local, tokens| {
        let room = at_least(&mut local.rows, params.width as usize);
        machine.level.run(Tokens { params, x, weight, y: &y, room, tokens });
    });
}

/// Some tokens.
struct Tokens<'a> {
    params: &'a Params,
    x: &'a [f32],
    weight: &'a [f32],
    y: &'a Shared<'a, f32>,
    /// `[D]`: a token's x without its mean.
    room: &'a mut [f32],
    tokens: Range<usize>,
}

impl Work for Tokens<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let width = self.params.width as usize;
        for t in self.tokens {
            let x = &self.x[t * width..][..width];
            let mean = if self.params.layer == 1 { sum(x) / width as f32 } else { 0.0 };
            for (centred, x) in self.room.iter_mut().zip(x) {
                *centred = x - mean;
            }
            let inverse = 1.0 / (square_sum(self.room) / width as f32 + self.params.eps).sqrt();
            // SAFETY: each token is given to one thread.
            let y = unsafe { self.y.part(t * width..(t + 1) * width) };
            let normed = self.room.iter().zip(self.weight).map(|(x, w)| w * (x * inverse));
            if self.params.add == 1 {
                for (y, normed) in y.iter_mut().zip(normed) {
                    *y += normed;
                }
            } else {
                for (y, normed) in y.iter_mut().zip(normed) {
                    *y = normed;
                }
            }
        }
    }
}
