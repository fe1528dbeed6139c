//! The gradient of the gated convolution inside each document, row by row.

use std::ops::Range;

use hala_plan::ops::training::convolve_backward::Params;

use super::convolve::{convolved, seen, turned_taps};
use super::engine::Engine;
use super::partial;
use crate::ops::training::convolve_backward::Outputs;
use crate::ops::training::packed_convolve::Inputs;
use crate::shared::Shared;
use crate::simd::isa::{Isa, Work};
use crate::simd::scratch::at_least;

/// `dy [T, D]`
pub(crate) fn run(
    engine: &mut Engine,
    params: &Params,
    (inputs, dy): (Inputs<'_>, &[f32]),
    outputs: Outputs<'_>,
) {
    let Outputs { dprojected, dtaps, dbias } = outputs;
    let (width, n_taps) = (params.width as usize, params.n_taps as usize);
    let (n_rows, n_sums) = (dy.len() / width, (n_taps + 1) * width);
    let (seen, taps) = (seen(&inputs), turned_taps(params, inputs.taps));
    let Engine { machine, scratch, partial: sums, .. } = engine;
    let (sums, dprojected) = (Shared::new(partial::zeroed(sums, n_rows, n_sums)), Shared::new(dprojected));
    machine.pool.share(&mut scratch.locals, partial::n_blocks(n_rows), 1, |local, blocks| {
        let rows = blocks.start * partial::BLOCK..n_rows.min(blocks.end * partial::BLOCK);
        // SAFETY: each block of rows is given to one thread.
        let (sums, dprojected) = unsafe {
            (
                sums.part(blocks.start * n_sums..blocks.end * n_sums),
                dprojected.part(rows.start * 3 * width..rows.end * 3 * width),
            )
        };
        let room = at_least(&mut local.rows, width);
        let of = Of { inputs, dy, taps: &taps, seen: &seen };
        machine.level.run(Rows { params, of, rows, room, sums, dprojected });
    });
    let mut turned = vec![0.0; n_sums];
    partial::add(machine, (&engine.partial, n_sums), 0, &mut turned);
    for (i, dtap) in dtaps.iter_mut().enumerate() {
        *dtap += turned[(n_taps - 1 - i % n_taps) * width + i / n_taps];
    }
    for (dbias, sum) in dbias.into_iter().flatten().zip(&turned[n_taps * width..]) {
        *dbias += sum;
    }
}

/// What the op reads.
#[derive(Clone, Copy)]
struct Of<'a> {
    inputs: Inputs<'a>,
    dy: &'a [f32],
    taps: &'a [f32],
    seen: &'a [[u32; 2]],
}

/// Some blocks of rows.
struct Rows<'a> {
    params: &'a Params,
    of: Of<'a>,
    rows: Range<usize>,
    /// `[D]`
    room: &'a mut [f32],
    /// `[n_taps + 1, D]` for each block: those of taps, the newest first, and of the bias.
    sums: &'a mut [f32],
    dprojected: &'a mut [f32],
}

impl Work for Rows<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let Self { params, of, rows, room, sums, dprojected } = self;
        let width = params.width as usize;
        let n_sums = (params.n_taps as usize + 1) * width;
        for ((i, t), d) in rows.enumerate().zip(dprojected.chunks_exact_mut(3 * width)) {
            let n_before = of.seen[t][0] as usize;
            let (db, rest) = d.split_at_mut(width);
            let (dc, dx) = rest.split_at_mut(width);
            let dy = &of.dy[t * width..][..width];
            convolved(width, &of.inputs, of.taps, (t, n_before), room);
            for (dc, (dy, v)) in dc.iter_mut().zip(dy.iter().zip(&*room)) {
                *dc = dy * v;
            }
            of.du(width, t, room);
            let row = &of.inputs.projected[t * 3 * width..][..3 * width];
            let (b, x) = (&row[..width], &row[2 * width..]);
            for ((db, dx), (du, (b, x))) in db.iter_mut().zip(dx).zip(room.iter().zip(b.iter().zip(x))) {
                *db = du * x;
                *dx = du * b;
            }
            of.add(width, t, &mut sums[i / partial::BLOCK * n_sums..][..n_sums]);
        }
    }
}

impl Of<'_> {
    /// C of a row.
    #[inline(always)]
    fn c(&self, width: usize, t: usize) -> &[f32] {
        &self.inputs.projected[(3 * t + 1) * width..][..width]
    }

    /// `du[t] = Σ taps · dv`, of this row and those after it.
    #[inline(always)]
    fn du(&self, width: usize, t: usize, du: &mut [f32]) {
        du.fill(0.0);
        let n_after = self.seen[t][1] as usize;
        for (ahead, taps) in self.taps.chunks_exact(width).enumerate().take(n_after + 1) {
            let (dy, c) = (&self.dy[(t + ahead) * width..][..width], self.c(width, t + ahead));
            for (du, (tap, (dy, c))) in du.iter_mut().zip(taps.iter().zip(dy.iter().zip(c))) {
                *du += tap * (dy * c);
            }
        }
    }

    /// Adds what taps and the bias have of a row's gradient.
    #[inline(always)]
    fn add(&self, width: usize, t: usize, sums: &mut [f32]) {
        let (dy, c) = (&self.dy[t * width..][..width], self.c(width, t));
        let (taps, bias) = sums.split_at_mut(self.taps.len());
        for (sum, (dy, c)) in bias.iter_mut().zip(dy.iter().zip(c)) {
            *sum += dy * c;
        }
        let n_before = self.seen[t][0] as usize;
        for (back, sums) in taps.chunks_exact_mut(width).enumerate().take(n_before + 1) {
            let row = &self.inputs.projected[(t - back) * 3 * width..][..3 * width];
            let (b, x) = (&row[..width], &row[2 * width..]);
            for ((sum, (dy, c)), (b, x)) in sums.iter_mut().zip(dy.iter().zip(c)).zip(b.iter().zip(x)) {
                *sum += (dy * c) * (b * x);
            }
        }
    }
}
