//! Products with parameters, forward and back.

use std::ops::Range;

use hala_plan::ops::matmul::Write;

use super::engine::Engine;
use super::gemm::gemm;
use super::pack::Matrix;
use super::partial;
use crate::shared::Shared;
use crate::simd::isa::{Isa, Work};

/// `y = x · Wᵀ + b`: `x [T, I]`, `w [O, I]`, `bias [O]`, `y [T, O]`
pub(crate) fn forward(
    engine: &mut Engine,
    n_in: usize,
    [x, w]: [&[f32]; 2],
    bias: Option<&[f32]>,
    y: &mut [f32],
) {
    let n_out = w.len() / n_in;
    let Engine { machine, kernel, packs, scratch, .. } = engine;
    let operands = [Matrix::rows(x, n_in), Matrix::rows(w, n_in).transposed()];
    gemm((machine, kernel), packs, operands, (y, n_out), Write::Set);
    if let Some(bias) = bias {
        let (n_rows, y) = (y.len() / n_out, Shared::new(y));
        machine.pool.share(&mut scratch.locals, n_rows, partial::BLOCK, |_, rows| {
            // SAFETY: each row is given to one thread.
            let y = unsafe { y.part(rows.start * n_out..rows.end * n_out) };
            machine.level.run(Biased { bias, y });
        });
    }
}

/// `dx = dy · W`, or added: `dy [T, O]`, `w [O, I]`, `dx [T, I]`
pub(crate) fn input(engine: &mut Engine, n_in: usize, [dy, w]: [&[f32]; 2], dx: &mut [f32], write: Write) {
    let n_out = w.len() / n_in;
    let Engine { machine, kernel, packs, .. } = engine;
    let operands = [Matrix::rows(dy, n_out), Matrix::rows(w, n_in)];
    gemm((machine, kernel), packs, operands, (dx, n_in), write);
}

/// `dW += dyᵀ · x`, `db += Σₜ dy[t]`: `dy [T, O]`, `x [T, I]`, `dw [O, I]`, `db [O]`
pub(crate) fn weight(
    engine: &mut Engine,
    n_in: usize,
    [dy, x]: [&[f32]; 2],
    dw: &mut [f32],
    db: Option<&mut [f32]>,
) {
    let n_out = dw.len() / n_in;
    let Engine { machine, kernel, packs, scratch, partial: sums, .. } = engine;
    let operands = [Matrix::rows(dy, n_out).transposed(), Matrix::rows(x, n_in)];
    gemm((machine, kernel), packs, operands, (dw, n_in), Write::Add);
    if let Some(db) = db {
        let n_rows = dy.len() / n_out;
        let sums = Shared::new(partial::zeroed(sums, n_rows, n_out));
        machine.pool.share(&mut scratch.locals, partial::n_blocks(n_rows), 1, |_, blocks| {
            // SAFETY: each block is given to one thread.
            let sums = unsafe { sums.part(blocks.start * n_out..blocks.end * n_out) };
            machine.level.run(Summed { dy, n_out, blocks, sums });
        });
        partial::add(machine, (&engine.partial, n_out), 0, db);
    }
}

/// Rows that a bias is added to.
struct Biased<'a> {
    bias: &'a [f32],
    y: &'a mut [f32],
}

impl Work for Biased<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        for y in self.y.chunks_exact_mut(self.bias.len()) {
            for (y, b) in y.iter_mut().zip(self.bias) {
                *y += b;
            }
        }
    }
}

/// Some blocks of rows that are added up.
struct Summed<'a> {
    dy: &'a [f32],
    n_out: usize,
    blocks: Range<usize>,
    sums: &'a mut [f32],
}

impl Work for Summed<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let rows = self.dy.chunks(partial::BLOCK * self.n_out).skip(self.blocks.start);
        for (sums, rows) in self.sums.chunks_exact_mut(self.n_out).zip(rows) {
            for row in rows.chunks_exact(self.n_out) {
                for (sum, dy) in sums.iter_mut().zip(row) {
                    *sum += dy;
                }
            }
        }
    }
}
