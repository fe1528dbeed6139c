//! The gradient of `y = act(a) ⊙ b`, shared out by elements.

use hala_plan::ops::gate::Activation;
use hala_plan::ops::training::gate_backward::Params;

use super::engine::Engine;
use crate::shared::Shared;
use crate::simd::isa::{Isa, Work};
use crate::simd::math::{sigmoid, tanh};

/// Elements that one thread takes at a time.
const PIECE: usize = 4096;

/// `[a, b, dy]` and `[da, db]`, all `[T, F]`
pub(crate) fn run(engine: &mut Engine, params: &Params, inputs: [&[f32]; 3], outputs: [&mut [f32]; 2]) {
    let (n, [da, db]) = (inputs[0].len(), outputs.map(Shared::new));
    let Engine { machine, scratch, .. } = engine;
    machine.pool.share(&mut scratch.locals, n, PIECE, |_, range| {
        // SAFETY: each element is given to one thread.
        let outputs = unsafe { [da.part(range.clone()), db.part(range.clone())] };
        let inputs = inputs.map(|x| &x[range.clone()]);
        match params.activation {
            Activation::Silu => machine.level.run(Elements { slope: Silu, inputs, outputs }),
            Activation::GeluTanh => machine.level.run(Elements { slope: GeluTanh, inputs, outputs }),
            Activation::Sigmoid => machine.level.run(Elements { slope: Sigmoid, inputs, outputs }),
        }
    });
}

/// What gates pass through; each has loops of its own.
trait Slope {
    /// The value and the derivative.
    fn of(z: f32) -> (f32, f32);
}

struct Silu;
struct GeluTanh;
struct Sigmoid;

impl Slope for Silu {
    #[inline(always)]
    fn of(z: f32) -> (f32, f32) {
        let share = sigmoid(z);
        (z * share, share * (1.0 + z * (1.0 - share)))
    }
}

impl Slope for Sigmoid {
    #[inline(always)]
    fn of(z: f32) -> (f32, f32) {
        let share = sigmoid(z);
        (share, share * (1.0 - share))
    }
}

impl Slope for GeluTanh {
    #[inline(always)]
    fn of(z: f32) -> (f32, f32) {
        const FACTOR: f32 = 0.797_884_6; // √(2/π)
        let tanh = tanh(FACTOR * (z + 0.044_715 * z * z * z));
        let inner = FACTOR * (1.0 + 3.0 * 0.044_715 * z * z);
        (0.5 * z * (1.0 + tanh), 0.5 * (1.0 + tanh) + 0.5 * z * (1.0 - tanh * tanh) * inner)
    }
}

/// Some elements.
struct Elements<'a, S> {
    #[expect(dead_code, reason = "its type is what counts")]
    slope: S,
    inputs: [&'a [f32]; 3],
    outputs: [&'a mut [f32]; 2],
}

impl<S: Slope> Work for Elements<'_, S> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let ([a, b, dy], [da, db]) = (self.inputs, self.outputs);
        for ((da, db), (a, (b, dy))) in da.iter_mut().zip(db).zip(a.iter().zip(b.iter().zip(dy))) {
            let (value, slope) = S::of(*a);
            *da = dy * b * slope;
            *db = dy * value;
        }
    }
}
