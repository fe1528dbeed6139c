//! `x = cap · tanh(x / cap)`, in place, shared out by elements.

use std::ops::Range;

use hala_plan::ops::softcap::Params;

use super::isa::{Isa, Work};
use super::math::softcap;
use super::{Machine, Scratch};
use crate::shared::Shared;

/// Elements that one thread takes at a time.
const PIECE: usize = 4096;

/// `x [T, I]`
pub(crate) fn run(machine: &Machine, scratch: &mut Scratch, params: &Params, x: &mut [f32]) {
    let n_elements = x.len();
    let x = Shared::new(x);
    machine.pool.share(&mut scratch.locals, n_elements, PIECE, |_, elements| {
        machine.level.run(Elements { x: &x, cap: params.cap, elements });
    });
}

/// Some elements.
struct Elements<'a> {
    x: &'a Shared<'a, f32>,
    cap: f32,
    elements: Range<usize>,
}

impl Work for Elements<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        // SAFETY: each element is given to one thread.
        for x in unsafe { self.x.part(self.elements) } {
            *x = softcap(*x, self.cap);
        }
    }
}
