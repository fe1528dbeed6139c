//! `y = act(a) ⊙ b`, shared out by elements.

use std::ops::Range;

use hala_plan::ops::gate::Params;

use super::isa::{Isa, Work};
use super::math::{gelu, silu};
use super::{Machine, Scratch};
use crate::shared::Shared;

/// Elements that one thread takes at a time.
const PIECE: usize = 4096;

/// `a [T, F]`, `b [T, F]`, `y [T, F]`
pub(crate) fn run(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    [a, b]: [&[f32]; 2],
    y: &mut [f32],
) {
    let n_elements = y.len();
    let y = Shared::new(y);
    machine.pool.share(&mut scratch.locals, n_elements, PIECE, |_, elements| {
        machine.level.run(Elements { params, a, b, y: &y, elements });
    });
}

/// Some elements.
struct Elements<'a> {
    params: &'a Params,
    a: &'a [f32],
    b: &'a [f32],
    y: &'a Shared<'a, f32>,
    elements: Range<usize>,
}

impl Work for Elements<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let (a, b) = (&self.a[self.elements.clone()], &self.b[self.elements.clone()]);
        // SAFETY: each element is given to one thread.
        let y = unsafe { self.y.part(self.elements) };
        // Loops, not closures: what is not inlined is not compiled for the instruction set.
        if self.params.gelu == 1 {
            for (y, (a, b)) in y.iter_mut().zip(a.iter().zip(b)) {
                *y = gelu(*a) * b;
            }
        } else {
            for (y, (a, b)) in y.iter_mut().zip(a.iter().zip(b)) {
                *y = silu(*a) * b;
            }
        }
    }
}
