//! Norm and rotation of each query and key head, row by row.

use std::ops::Range;

use hala_plan::ops::training::turn_heads::Params;

use super::engine::Engine;
use crate::ops::training::turn_heads::{Head, Inputs};
use crate::shared::Shared;
use crate::simd::isa::{Isa, Work};
use crate::simd::math::rms_norm;

/// Rows that one thread takes at a time.
const PIECE: usize = 16;

/// `turned [T, (H + 2K)·A]`
pub(crate) fn run(engine: &mut Engine, params: &Params, inputs: Inputs<'_>, turned: &mut [f32]) {
    let width = params.heads.width();
    let positions = positions(&inputs);
    let (n_rows, turned) = (turned.len() / width, Shared::new(turned));
    let Engine { machine, scratch, .. } = engine;
    machine.pool.share(&mut scratch.locals, n_rows, PIECE, |_, rows| {
        // SAFETY: each row is given to one thread.
        let turned = unsafe { turned.part(rows.start * width..rows.end * width) };
        machine.level.run(Rows { params, inputs: &inputs, positions: &positions, rows, turned });
    });
}

/// The position that each row has in its document.
pub(super) fn positions(inputs: &Inputs<'_>) -> Vec<u32> {
    inputs.rows.documents().flat_map(|document| 0..document.len() as u32).collect()
}

/// Some rows.
struct Rows<'a> {
    params: &'a Params,
    inputs: &'a Inputs<'a>,
    positions: &'a [u32],
    rows: Range<usize>,
    turned: &'a mut [f32],
}

impl Work for Rows<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let Self { params, inputs, positions, rows, turned } = self;
        let (width, size) = (params.heads.width(), params.heads.head_size as usize);
        for (t, turned) in rows.zip(turned.chunks_exact_mut(width)) {
            let row = inputs.qkv[t * width..][..width].chunks_exact(size);
            for (idx, (x, y)) in row.zip(turned.chunks_exact_mut(size)).enumerate() {
                let head = Head::of(params, idx);
                match head.norm(inputs.norms) {
                    Some(norm) => rms_norm(x, norm, params.eps, y),
                    None => y.copy_from_slice(x),
                }
                if head != Head::Value
                    && let Some(rope) = inputs.rope
                {
                    turn(params, &rope[positions[t] as usize * size..][..size], 1.0, y);
                }
            }
        }
    }
}

/// Turns a head by angles, or back where `direction` is −1.
#[inline(always)]
pub(super) fn turn(params: &Params, angles: &[f32], direction: f32, head: &mut [f32]) {
    let (cos, sin) = angles.split_at(head.len() / 2);
    if params.turn == 2 {
        for ([a, b], (c, s)) in head.as_chunks_mut::<2>().0.iter_mut().zip(cos.iter().zip(sin)) {
            let s = direction * s;
            (*a, *b) = (*a * c - *b * s, *b * c + *a * s);
        }
        return;
    }
    let (low, high) = head.split_at_mut(cos.len());
    for ((a, b), (c, s)) in low.iter_mut().zip(high).zip(cos.iter().zip(sin)) {
        let s = direction * s;
        (*a, *b) = (*a * c - *b * s, *b * c + *a * s);
    }
}
