//! `y = act(a) ⊙ b`, shared out by gates.

use std::ops::Range;

use hala_plan::ops::gate::{Activation, Params};

use super::isa::{Isa, Work};
use super::math::{gelu, sigmoid, silu};
use super::{Machine, Scratch};
use crate::shared::Shared;

/// Elements that one thread takes at a time.
const PIECE: usize = 4096;

/// `a [T, F / n_each]`, `b [T, F]`, `y [T, F]`
pub(crate) fn run(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    [a, b]: [&[f32]; 2],
    y: &mut [f32],
) {
    let (n_each, activation) = (params.n_each as usize, Activation::of_code(params.activation));
    let y = Shared::new(y);
    machine.pool.share(&mut scratch.locals, a.len(), (PIECE / n_each).max(1), |_, gates| {
        let a = &a[gates.clone()];
        let elements = gates.start * n_each..gates.end * n_each;
        machine.level.run(Gates { activation, a, b, y: &y, elements });
    });
}

/// Some gates, with the elements that they let through.
struct Gates<'a> {
    activation: Activation,
    a: &'a [f32],
    b: &'a [f32],
    y: &'a Shared<'a, f32>,
    elements: Range<usize>,
}

/// Loops, not closures: what is not inlined is not compiled for the instruction set.
macro_rules! let_through {
    ($activation:ident, $a:expr, $b:expr, $y:expr) => {
        if $a.len() == $y.len() {
            for (y, (a, b)) in $y.iter_mut().zip($a.iter().zip($b)) {
                *y = $activation(*a) * b;
            }
        } else {
            let n_each = $y.len() / $a.len().max(1);
            for ((a, b), y) in $a.iter().zip($b.chunks(n_each)).zip($y.chunks_mut(n_each)) {
                let share = $activation(*a);
                for (y, b) in y.iter_mut().zip(b) {
                    *y = share * b;
                }
            }
        }
    };
}

impl Work for Gates<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let (a, b) = (self.a, &self.b[self.elements.clone()]);
        // SAFETY: each element is given to one thread.
        let y = unsafe { self.y.part(self.elements) };
        match self.activation {
            Activation::Silu => let_through!(silu, a, b, y),
            Activation::GeluTanh => let_through!(gelu, a, b, y),
            Activation::Sigmoid => let_through!(sigmoid, a, b, y),
        }
    }
}
