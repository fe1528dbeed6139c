//! The optimizer's work on flat buffers, shared out by elements.

use hala_plan::ops::training::adamw::Params;
use hala_plan::ops::training::gradient_norm::BLOCK;

use super::engine::Engine;
use crate::ops::training::adamw::State;
use crate::shared::Shared;
use crate::simd::isa::{Isa, Work};
use crate::simd::math::square_sum;

/// Elements that one thread takes at a time.
const PIECE: usize = 16 << 10;

/// AdamW: `g [N]`
pub(crate) fn adamw(engine: &mut Engine, params: &Params, g: &[f32], state: State<'_>) {
    let State { w, m, v } = state;
    let [w, m, v] = [w, m, v].map(Shared::new);
    let Engine { machine, scratch, .. } = engine;
    machine.pool.share(&mut scratch.locals, g.len(), PIECE, |_, range| {
        // SAFETY: each element is given to one thread.
        let [w, m, v] = [&w, &m, &v].map(|x| unsafe { x.part(range.clone()) });
        machine.level.run(Update { params, g: &g[range], state: State { w, m, v } });
    });
}

/// Some elements.
struct Update<'a> {
    params: &'a Params,
    g: &'a [f32],
    state: State<'a>,
}

impl Work for Update<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let Params { learning_rate, beta1, beta2, eps, weight_decay, scale, .. } = *self.params;
        let State { w, m, v } = self.state;
        let [first, second] = self.params.corrections();
        let (rate, root) = ((f64::from(learning_rate) / first) as f32, (1.0 / second.sqrt()) as f32);
        let decay = 1.0 - learning_rate * weight_decay;
        for ((g, w), (m, v)) in self.g.iter().zip(w).zip(m.iter_mut().zip(v)) {
            let g = g * scale;
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *w = *w * decay - rate * *m / (v.sqrt() * root + eps);
        }
    }
}

/// `√(Σ g²)`: `g [N]`
pub(crate) fn norm(engine: &mut Engine, g: &[f32]) -> f64 {
    let Engine { machine, scratch, .. } = engine;
    let mut squares = vec![0.0f32; g.len().div_ceil(BLOCK)];
    let shared = Shared::new(&mut squares);
    machine.pool.share(&mut scratch.locals, g.len().div_ceil(BLOCK), 4, |_, blocks| {
        let elements = blocks.start * BLOCK..g.len().min(blocks.end * BLOCK);
        // SAFETY: each block is given to one thread.
        let squares = unsafe { shared.part(blocks) };
        machine.level.run(Squares { g: &g[elements], squares });
    });
    squares.into_iter().map(f64::from).sum::<f64>().sqrt()
}

/// Some blocks.
struct Squares<'a> {
    g: &'a [f32],
    squares: &'a mut [f32],
}

impl Work for Squares<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        for (square, g) in self.squares.iter_mut().zip(self.g.chunks(BLOCK)) {
            *square = square_sum(g);
        }
    }
}
