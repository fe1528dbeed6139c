//! The gradient of `turn_heads`, row by row.

use std::ops::Range;

use hala_plan::ops::training::turn_heads_backward::Params;

use super::engine::Engine;
use super::norm_backward::{Back, normalise};
use super::partial;
use super::turn_heads::{positions, turn};
use crate::ops::training::turn_heads::{Head, Inputs};
use crate::shared::Shared;
use crate::simd::isa::{Isa, Work};
use crate::simd::scratch::at_least;

/// `dturned [T, (H + 2K)·A]`, `dqkv [T, (H + 2K)·A]`, `dnorms [A]` of queries and of keys
pub(crate) fn run(
    engine: &mut Engine,
    params: &Params,
    (inputs, dturned): (Inputs<'_>, &[f32]),
    dqkv: &mut [f32],
    dnorms: &mut [&mut [f32]],
) {
    let (width, size) = (params.heads.width(), params.heads.head_size as usize);
    let positions = positions(&inputs);
    let n_rows = dqkv.len() / width;
    let Engine { machine, scratch, partial: sums, .. } = engine;
    let (sums, dqkv) = (Shared::new(partial::zeroed(sums, n_rows, 2 * size)), Shared::new(dqkv));
    machine.pool.share(&mut scratch.locals, partial::n_blocks(n_rows), 1, |local, blocks| {
        let rows = blocks.start * partial::BLOCK..n_rows.min(blocks.end * partial::BLOCK);
        // SAFETY: each block of rows is given to one thread.
        let (sums, dqkv) = unsafe {
            (
                sums.part(blocks.start * 2 * size..blocks.end * 2 * size),
                dqkv.part(rows.start * width..rows.end * width),
            )
        };
        let room = at_least(&mut local.rows, 2 * size);
        let inputs = &inputs;
        machine.level.run(Rows { params, inputs, positions: &positions, dturned, rows, room, sums, dqkv });
    });
    for (idx, dnorm) in dnorms.iter_mut().enumerate() {
        partial::add(machine, (&engine.partial, 2 * size), idx * size, dnorm);
    }
}

/// Some blocks of rows.
struct Rows<'a> {
    params: &'a Params,
    inputs: &'a Inputs<'a>,
    positions: &'a [u32],
    dturned: &'a [f32],
    rows: Range<usize>,
    /// `[2, A]`: what is normalised, and the gradient in that.
    room: &'a mut [f32],
    /// `[2, A]` for each block.
    sums: &'a mut [f32],
    dqkv: &'a mut [f32],
}

impl Work for Rows<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let Self { params, inputs, positions, dturned, rows, room, sums, dqkv } = self;
        let (width, size) = (params.heads.width(), params.heads.head_size as usize);
        let (normed, g) = room.split_at_mut(size);
        for ((i, t), row) in rows.enumerate().zip(dqkv.chunks_exact_mut(width)) {
            let sums = &mut sums[i / partial::BLOCK * 2 * size..][..2 * size];
            for (idx, dx) in row.chunks_exact_mut(size).enumerate() {
                let head = Head::of(params, idx);
                let start = t * width + idx * size;
                dx.copy_from_slice(&dturned[start..start + size]);
                if head != Head::Value
                    && let Some(rope) = inputs.rope
                {
                    turn(params, &rope[positions[t] as usize * size..][..size], -1.0, dx);
                }
                let Some(weight) = head.norm(inputs.norms) else { continue };
                let inverse = normalise(&inputs.qkv[start..start + size], params.eps, false, normed);
                let sums = &mut sums[if head == Head::Key { size } else { 0 }..][..size];
                for ((g, dy), (w, (sum, x))) in
                    g.iter_mut().zip(&*dx).zip(weight.iter().zip(sums.iter_mut().zip(&*normed)))
                {
                    *g = dy * w;
                    *sum += dy * x;
                }
                Back { normed, g, inverse, is_layer: false }.write::<false>(dx);
            }
        }
    }
}
