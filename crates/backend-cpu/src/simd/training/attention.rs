//! Causal attention inside each document: a block of rows of one query head at a time, against all that it sees.
//!
//! The scores of a block are in memory, never those of a document.

use hala_plan::ops::matmul::Write;
use hala_plan::ops::training::packed_attention::Params;
use hala_plan::training::TrainRows;

use super::engine::Engine;
use super::gemm::gemm_alone;
use super::pack::Matrix;
use crate::shared::Shared;
use crate::simd::isa::{Isa, Work};
use crate::simd::math::exp;

/// Rows of a block.
pub(super) const BLOCK: usize = 64;

/// Some rows of a document, of one query head.
#[derive(Debug, Clone, Copy)]
struct Unit {
    /// The document's first row.
    first: usize,
    /// The first of the rows, and how many.
    start: usize,
    n_rows: usize,
    h: usize,
}

/// `turned [T, (H + 2K)·A]` in; `y [T, H·A]` and `log_sums [T, H]` out
pub(crate) fn run(
    engine: &mut Engine,
    params: &Params,
    rows: TrainRows<'_>,
    turned: &[f32],
    [y, log_sums]: [&mut [f32]; 2],
) {
    let units = units(params, rows);
    let (n_heads, size) = (params.heads.n_heads as usize, params.heads.head_size as usize);
    let heads = Heads { params, turned };
    let (y, log_sums) = (Shared::new(y), Shared::new(log_sums));
    let Engine { machine, exact, packs, .. } = engine;
    machine.pool.share(&mut packs.locals, units.len(), 1, |local, range| {
        for Unit { first, start, n_rows, h } in &units[range] {
            let n_seen = start + n_rows - first;
            let [mut scores, mut out, ..] = local.values.each_mut().map(std::mem::take);
            scores.resize(n_rows * n_seen, 0.0);
            out.resize(n_rows * (size + 1), 0.0);
            let (sums, out_rows) = out.split_at_mut(*n_rows);
            let operands = [heads.queries(*start, *n_rows, *h), heads.keys(*first, n_seen, *h).transposed()];
            gemm_alone((machine, exact), local, operands, (&mut scores, n_seen), Write::Set);
            let scale = params.scale;
            machine.level.run(Softmax { scores: &mut scores, n_seen, n_before: start - first, scale, sums });
            let operands = [Matrix::rows(&scores, n_seen), heads.values(*first, n_seen, *h)];
            gemm_alone((machine, exact), local, operands, (out_rows, size), Write::Set);
            for (i, row) in out_rows.chunks_exact(size).enumerate() {
                let place = (start + i) * n_heads + h;
                // SAFETY: each head of each row is given to one thread.
                unsafe {
                    y.part(place * size..(place + 1) * size).copy_from_slice(row);
                    log_sums.part(place..place + 1)[0] = sums[i];
                }
            }
            (local.values[0], local.values[1]) = (scores, out);
        }
    });
}

/// All units, those that see most first, so that threads end at about the same time.
fn units(params: &Params, rows: TrainRows<'_>) -> Vec<Unit> {
    let mut units = Vec::new();
    for document in rows.documents() {
        for start in document.clone().step_by(BLOCK) {
            let n_rows = BLOCK.min(document.end - start);
            let unit = |h| Unit { first: document.start, start, n_rows, h };
            units.extend((0..params.heads.n_heads as usize).map(unit));
        }
    }
    units.sort_by_key(|unit| std::cmp::Reverse(unit.n_rows * (unit.start + unit.n_rows - unit.first)));
    units
}

/// The heads of all rows, as matrices.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heads<'a> {
    pub(super) params: &'a Params,
    /// `[T, (H + 2K)·A]`
    pub(super) turned: &'a [f32],
}

impl<'a> Heads<'a> {
    fn part(&self, first: usize, n_rows: usize, idx: usize) -> Matrix<'a> {
        let (width, size) = (self.params.heads.width(), self.params.heads.head_size as usize);
        Matrix::part(&self.turned[first * width + idx * size..], [n_rows, size], width)
    }

    pub(super) fn queries(&self, first: usize, n_rows: usize, h: usize) -> Matrix<'a> {
        self.part(first, n_rows, h)
    }

    /// The keys that query head `h` reads.
    pub(super) fn keys(&self, first: usize, n_rows: usize, h: usize) -> Matrix<'a> {
        let (n, k) = (self.params.heads.n_heads as usize, self.params.heads.n_kv_heads as usize);
        self.part(first, n_rows, n + h / (n / k))
    }

    /// The values that query head `h` reads.
    pub(super) fn values(&self, first: usize, n_rows: usize, h: usize) -> Matrix<'a> {
        let (n, k) = (self.params.heads.n_heads as usize, self.params.heads.n_kv_heads as usize);
        self.part(first, n_rows, n + k + h / (n / k))
    }
}

/// Rows of scores that become shares.
struct Softmax<'a> {
    /// `[rows, n_seen]`
    scores: &'a mut [f32],
    n_seen: usize,
    /// Rows of the document before the block.
    n_before: usize,
    scale: f32,
    /// `[rows]`: the logarithms of the sums.
    sums: &'a mut [f32],
}

impl Work for Softmax<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let rows = self.scores.chunks_exact_mut(self.n_seen).zip(self.sums).enumerate();
        for (i, (row, log_sum)) in rows {
            let (seen, hidden) = row.split_at_mut(self.n_before + i + 1);
            hidden.fill(0.0);
            let max = scaled_max(seen, self.scale);
            let sum = exponentials(seen, max);
            let inverse = 1.0 / sum;
            for z in seen.iter_mut() {
                *z *= inverse;
            }
            *log_sum = max + sum.ln();
        }
    }
}

/// Scales a row, and gives its largest element.
#[inline(always)]
fn scaled_max(row: &mut [f32], scale: f32) -> f32 {
    let mut most = [f32::NEG_INFINITY; 16];
    let (chunks, rest) = row.as_chunks_mut::<16>();
    for chunk in chunks {
        for (most, z) in most.iter_mut().zip(chunk) {
            *z *= scale;
            *most = if *z > *most { *z } else { *most };
        }
    }
    for (most, z) in most.iter_mut().zip(rest) {
        *z *= scale;
        *most = if *z > *most { *z } else { *most };
    }
    most.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// `exp(z − max)` of a row, and their sum.
#[inline(always)]
pub(super) fn exponentials(row: &mut [f32], max: f32) -> f32 {
    let mut sums = [0.0f32; 16];
    let (chunks, rest) = row.as_chunks_mut::<16>();
    for chunk in chunks {
        for (sum, z) in sums.iter_mut().zip(chunk) {
            *z = exp(*z - max);
            *sum += *z;
        }
    }
    for (sum, z) in sums.iter_mut().zip(rest) {
        *z = exp(*z - max);
        *sum += *z;
    }
    sums.iter().sum()
}
