//! The gradient of an RMS or a layer norm, row by row.

use std::ops::Range;

use hala_plan::ops::training::norm_backward::Params;

use super::engine::Engine;
use super::partial;
use crate::ops::training::norm_backward::Inputs;
use crate::shared::Shared;
use crate::simd::isa::{Isa, Work};
use crate::simd::math::{dot, square_sum, sum};
use crate::simd::scratch::at_least;

/// `dx [T, D]`, `dw [D]`
pub(crate) fn run(engine: &mut Engine, params: &Params, inputs: Inputs<'_>, dx: &mut [f32], dw: &mut [f32]) {
    let width = params.width as usize;
    let n_rows = dx.len() / width;
    let Engine { machine, scratch, partial: sums, .. } = engine;
    let (sums, dx) = (Shared::new(partial::zeroed(sums, n_rows, width)), Shared::new(dx));
    machine.pool.share(&mut scratch.locals, partial::n_blocks(n_rows), 1, |local, blocks| {
        let rows = blocks.start * partial::BLOCK..n_rows.min(blocks.end * partial::BLOCK);
        // SAFETY: each block of rows is given to one thread.
        let (sums, dx) = unsafe {
            (
                sums.part(blocks.start * width..blocks.end * width),
                dx.part(rows.start * width..rows.end * width),
            )
        };
        let room = at_least(&mut local.rows, 2 * width);
        machine.level.run(Rows { params, inputs, rows, room, sums, dx });
    });
    partial::add(machine, (&engine.partial, width), 0, dw);
}

/// Some blocks of rows.
struct Rows<'a> {
    params: &'a Params,
    inputs: Inputs<'a>,
    rows: Range<usize>,
    /// `[2, D]`: what is normalised, and the gradient in that.
    room: &'a mut [f32],
    sums: &'a mut [f32],
    dx: &'a mut [f32],
}

impl Work for Rows<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let Self { params, inputs, rows, room, sums, dx } = self;
        let width = params.width as usize;
        let (normed, g) = room.split_at_mut(width);
        for ((i, t), dx) in rows.enumerate().zip(dx.chunks_exact_mut(width)) {
            let (x, dy) = (&inputs.x[t * width..][..width], &inputs.dy[t * width..][..width]);
            let sums = &mut sums[i / partial::BLOCK * width..][..width];
            let inverse = normalise(x, params.eps, params.layer == 1, normed);
            for ((g, dy), (w, (sum, x))) in
                g.iter_mut().zip(dy).zip(inputs.weight.iter().zip(sums.iter_mut().zip(&*normed)))
            {
                *g = dy * w;
                *sum += dy * x;
            }
            let found = Back { normed, g, inverse, is_layer: params.layer == 1 };
            if params.add == 1 { found.write::<true>(dx) } else { found.write::<false>(dx) }
        }
    }
}

/// x̂ of a row; returns what it was multiplied with.
#[inline(always)]
pub(super) fn normalise(x: &[f32], eps: f32, is_layer: bool, normed: &mut [f32]) -> f32 {
    let width = x.len() as f32;
    let mean = if is_layer { sum(x) / width } else { 0.0 };
    for (normed, x) in normed.iter_mut().zip(x) {
        *normed = x - mean;
    }
    let inverse = 1.0 / (square_sum(normed) / width + eps).sqrt();
    for normed in normed.iter_mut() {
        *normed *= inverse;
    }
    inverse
}

/// A row that was normalised, with the gradient `g` in x̂.
pub(super) struct Back<'a> {
    pub(super) normed: &'a [f32],
    pub(super) g: &'a [f32],
    pub(super) inverse: f32,
    pub(super) is_layer: bool,
}

impl Back<'_> {
    /// Writes the gradient in the row, or adds it.
    #[inline(always)]
    pub(super) fn write<const ADD: bool>(&self, dx: &mut [f32]) {
        let width = dx.len() as f32;
        let mean = if self.is_layer { sum(self.g) / width } else { 0.0 };
        let along = dot(self.g, self.normed) / width;
        for (dx, (g, x)) in dx.iter_mut().zip(self.g.iter().zip(self.normed)) {
            let found = self.inverse * (g - mean - x * along);
            *dx = if ADD { *dx + found } else { found };
        }
    }
}
