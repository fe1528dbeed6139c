//! The gated convolution inside each document, row by row.

use std::ops::Range;

use hala_plan::ops::training::packed_convolve::Params;

use super::engine::Engine;
use super::partial;
use crate::ops::training::packed_convolve::Inputs;
use crate::shared::Shared;
use crate::simd::isa::{Isa, Work};
use crate::simd::scratch::at_least;

/// `y [T, D]`
pub(crate) fn run(engine: &mut Engine, params: &Params, inputs: Inputs<'_>, y: &mut [f32]) {
    let width = params.width as usize;
    let (n_rows, y) = (y.len() / width, Shared::new(y));
    let (seen, taps) = (seen(&inputs), turned_taps(params, inputs.taps));
    let Engine { machine, scratch, .. } = engine;
    machine.pool.share(&mut scratch.locals, n_rows, partial::BLOCK, |local, rows| {
        // SAFETY: each row is given to one thread.
        let y = unsafe { y.part(rows.start * width..rows.end * width) };
        let room = at_least(&mut local.rows, width);
        machine.level.run(Rows { params, inputs, taps: &taps, seen: &seen, rows, room, y });
    });
}

/// Of each row, the rows of its document before it and after it.
pub(super) fn seen(inputs: &Inputs<'_>) -> Vec<[u32; 2]> {
    let of = |document: Range<usize>| {
        let n = document.len() as u32;
        (0..n).map(move |i| [i, n - 1 - i])
    };
    inputs.rows.documents().flat_map(of).collect()
}

/// Taps `[n_taps, D]`, those of the newest row first.
pub(super) fn turned_taps(params: &Params, taps: &[f32]) -> Vec<f32> {
    let n_taps = params.n_taps as usize;
    (0..n_taps).rev().flat_map(|k| taps.iter().skip(k).step_by(n_taps).copied()).collect()
}

/// `v[t] = Σ taps · u + c`
#[inline(always)]
pub(super) fn convolved(
    width: usize,
    inputs: &Inputs<'_>,
    taps: &[f32],
    (t, n_before): (usize, usize),
    v: &mut [f32],
) {
    match inputs.bias {
        Some(bias) => v.copy_from_slice(bias),
        None => v.fill(0.0),
    }
    for (back, taps) in taps.chunks_exact(width).enumerate().take(n_before + 1) {
        let row = &inputs.projected[(t - back) * 3 * width..][..3 * width];
        let (b, x) = (&row[..width], &row[2 * width..]);
        for (v, (tap, (b, x))) in v.iter_mut().zip(taps.iter().zip(b.iter().zip(x))) {
            *v += tap * (b * x);
        }
    }
}

/// Some rows.
struct Rows<'a> {
    params: &'a Params,
    inputs: Inputs<'a>,
    taps: &'a [f32],
    seen: &'a [[u32; 2]],
    rows: Range<usize>,
    /// `[D]`
    room: &'a mut [f32],
    y: &'a mut [f32],
}

impl Work for Rows<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let Self { params, inputs, taps, seen, rows, room, y } = self;
        let width = params.width as usize;
        for (t, y) in rows.zip(y.chunks_exact_mut(width)) {
            convolved(width, &inputs, taps, (t, seen[t][0] as usize), room);
            let c = &inputs.projected[(3 * t + 1) * width..][..width];
            for (y, (c, v)) in y.iter_mut().zip(c.iter().zip(&*room)) {
                *y = c * v;
            }
        }
    }
}
