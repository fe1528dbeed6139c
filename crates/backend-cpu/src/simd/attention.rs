//! Causal attention over the cache, with a running softmax over its pages.
//!
//! A task is one key/value head with all its query heads, for a few rows of one sequence: each page of keys and values is read, and
//! converted, once for them all. What a row's result is does not depend on the rows of its task, and so not on the run that it came in.

use hala_plan::ops::attention::Params;
use hala_plan::{PAGE, Span};

use super::isa::{Isa, N_DOT_ROWS, Work};
use super::math::{exp, softcap};
use super::pieces::{Piece, cut};
use super::rope_kv::Cell;
use super::scratch::{Local, at_least};
use super::{Machine, Scratch};
use crate::ops::attention::Inputs;
use crate::places::page;
use crate::shared::Shared;

/// Query rows of a task at most: each page that is converted serves them all.
const N_QUERIES: usize = 16;

/// Elements of a value that are summed together.
const N_LANES: usize = 32;

/// `y [T, H·A]`
pub(crate) fn run<C: Cell>(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    inputs: Inputs<'_, C>,
    y: &mut [f32],
) {
    let [n_heads, n_kv_heads, head_size] =
        [params.n_heads, params.n_kv_heads, params.head_size].map(|n| n as usize);
    let sizes = Sizes { n_heads, per_group: n_heads / n_kv_heads, head_size };
    let Scratch { pieces, locals, .. } = scratch;
    cut(inputs.spans, params, (N_QUERIES / sizes.per_group).max(1), pieces);
    let (pieces, y) = (&*pieces, Shared::new(y));
    machine.pool.share(locals, n_kv_heads * pieces.len(), 1, |local, tasks| {
        for task in tasks {
            let piece = pieces[task / n_kv_heads];
            let span = &inputs.spans[piece.span];
            let task = Task { params, sizes, inputs, head: task % n_kv_heads, span, piece };
            machine.level.run(Tile { task: &task, local, y: &y });
        }
    });
}

#[derive(Debug, Clone, Copy)]
struct Sizes {
    n_heads: usize,
    /// Query heads of one key/value head.
    per_group: usize,
    head_size: usize,
}

/// One key/value head, for some rows.
struct Task<'a, C> {
    params: &'a Params,
    sizes: Sizes,
    inputs: Inputs<'a, C>,
    head: usize,
    span: &'a Span<'a>,
    piece: Piece,
}

/// A task with where it works and where its results go.
struct Tile<'a, C> {
    task: &'a Task<'a, C>,
    local: &'a mut Local,
    y: &'a Shared<'a, f32>,
}

impl<C: Cell> Work for Tile<'_, C> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        self.task.run(isa, self.local, self.y);
    }
}

impl<C: Cell> Task<'_, C> {
    /// Where a query row's head begins in `q` and `y`, and its position.
    #[inline(always)]
    fn query(&self, row: usize) -> (usize, usize) {
        let Sizes { n_heads, per_group, head_size } = self.sizes;
        let (t, head) = (row / per_group, self.head * per_group + row % per_group);
        (((self.piece.first_row + t) * n_heads + head) * head_size, self.piece.position + t)
    }

    #[inline(always)]
    fn run<I: Isa>(&self, isa: I, local: &mut Local, y: &Shared<'_, f32>) {
        let Sizes { per_group, head_size, .. } = self.sizes;
        let n_queries = self.piece.n_rows * per_group;
        let key_room = at_least(&mut local.rows, PAGE * head_size);
        let value_room = at_least(&mut local.values, PAGE * head_size);
        // For each query: its scores, then the running maximum and the running sum of weights.
        let (scores, running) =
            at_least(&mut local.scores, n_queries * (PAGE + 2)).split_at_mut(n_queries * PAGE);
        let sums = at_least(&mut local.sums, n_queries * head_size);
        running.as_chunks_mut::<2>().0.fill([f32::NEG_INFINITY, 0.0]);
        sums.fill(0.0);
        let n_seen = self.piece.position + self.piece.n_rows;
        let first_seen = self.params.first_seen(self.piece.position);
        for start in (first_seen - first_seen % PAGE..n_seen).step_by(PAGE) {
            let n = PAGE.min(n_seen - start);
            let page = page(self.span, self.params.table, start);
            // Keys are multiplied a few at a time; what the page holds past the last one is looked at by nobody.
            let n_dotted = n.next_multiple_of(N_DOT_ROWS);
            let cells = self.head * PAGE * head_size..(self.head * PAGE + n_dotted) * head_size;
            let keys = C::values(&self.inputs.keys[page].cells()[cells.clone()], key_room);
            let values = C::values(&self.inputs.values[page].cells()[cells], value_room);
            let first = self.first_query(start);
            self.score(isa, [first, n_queries], keys, scores);
            for row in first..n_queries {
                let position = self.query(row).1;
                let n = n.min(position + 1 - start);
                let first = self.params.first_seen(position).saturating_sub(start);
                if first >= n {
                    continue;
                }
                let scores = &mut scores[row * PAGE..][first..n];
                if self.params.softcap > 0.0 {
                    for score in scores.iter_mut() {
                        *score = softcap(*score, self.params.softcap);
                    }
                }
                let [max, total] = &mut running.as_chunks_mut::<2>().0[row];
                let factor = weigh(scores, max, total);
                let sums = &mut sums[row * head_size..][..head_size];
                add_values(isa, scores, &values[first * head_size..], factor, sums);
            }
        }
        for (row, (sums, [_, total])) in
            sums.chunks_exact(head_size).zip(running.as_chunks::<2>().0).enumerate()
        {
            let start = self.query(row).0;
            // SAFETY: the heads and rows of a task belong to one thread.
            let y = unsafe { y.part(start..start + head_size) };
            for (y, sum) in y.iter_mut().zip(sums) {
                *y = sum / total;
            }
        }
    }

    /// The first query that sees the position `start`.
    #[inline(always)]
    fn first_query(&self, start: usize) -> usize {
        let first_row = start.saturating_sub(self.piece.position);
        first_row * self.sizes.per_group
    }

    /// `scores[row] = keys · q[row] · scale` for the queries `first..end`.
    #[inline(always)]
    fn score<I: Isa>(&self, isa: I, [first, end]: [usize; 2], keys: &[f32], scores: &mut [f32]) {
        let (head_size, scale) = (self.sizes.head_size, self.params.scale);
        let q = |row: usize| &self.inputs.q[self.query(row).0..][..head_size];
        let mut row = first;
        while row < end {
            let n = if end - row >= 3 { 3 } else { 1 };
            for (quad, keys) in keys.chunks_exact(N_DOT_ROWS * head_size).enumerate() {
                let mut set = |row: usize, sums: [f32; N_DOT_ROWS]| {
                    let scores = &mut scores[row * PAGE + quad * N_DOT_ROWS..][..N_DOT_ROWS];
                    for (score, sum) in scores.iter_mut().zip(sums) {
                        *score = sum * scale;
                    }
                };
                if n == 3 {
                    let sums = isa.dots(keys, [q(row), q(row + 1), q(row + 2)]);
                    for (i, sums) in sums.into_iter().enumerate() {
                        set(row + i, sums);
                    }
                } else {
                    let [sums] = isa.dots(keys, [q(row)]);
                    set(row, sums);
                }
            }
            row += n;
        }
    }
}

/// Turns scores into weights `e^(score − max)`, with the running maximum and total; returns what earlier sums are worth now.
#[inline(always)]
fn weigh(scores: &mut [f32], max: &mut f32, total: &mut f32) -> f32 {
    // A score that is not a number is no maximum, but makes the total one.
    let mut new_max = *max;
    for s in scores.iter() {
        if *s > new_max {
            new_max = *s;
        }
    }
    let factor = exp(*max - new_max);
    let mut parts = [0.0f32; 8];
    let (chunks, rest) = scores.as_chunks_mut::<8>();
    for chunk in chunks {
        for (s, part) in chunk.iter_mut().zip(&mut parts) {
            *s = exp(*s - new_max);
            *part += *s;
        }
    }
    for (s, part) in rest.iter_mut().zip(&mut parts) {
        *s = exp(*s - new_max);
        *part += *s;
    }
    *max = new_max;
    *total = *total * factor + parts.iter().sum::<f32>();
    factor
}

/// `sums = sums · factor + Σ weights[s] · values[s]`
#[inline(always)]
fn add_values<I: Isa>(isa: I, weights: &[f32], values: &[f32], factor: f32, sums: &mut [f32]) {
    let head_size = sums.len();
    let (chunks, rest) = sums.as_chunks_mut::<N_LANES>();
    for (i, chunk) in chunks.iter_mut().enumerate() {
        let mut parts = chunk.map(|sum| sum * factor);
        for (weight, values) in weights.iter().zip(values.chunks_exact(head_size)) {
            let values = &values[i * N_LANES..][..N_LANES];
            for (part, value) in parts.iter_mut().zip(values) {
                *part = isa.mul_add(*weight, *value, *part);
            }
        }
        *chunk = parts;
    }
    let first = head_size - rest.len();
    for (i, sum) in rest.iter_mut().enumerate() {
        let values = values[first + i..].iter().step_by(head_size);
        *sum =
            values.zip(weights).fold(*sum * factor, |sum, (value, weight)| isa.mul_add(*weight, *value, sum));
    }
}
