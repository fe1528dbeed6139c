//! The gradient of attention inside each document: one document and key/value head at a time, a block of rows of each query head that reads it after
//! the other.

use hala_plan::ops::matmul::Write;
use hala_plan::ops::training::attention_backward::Params;

use super::attention::{BLOCK, Heads};
use super::engine::Engine;
use super::gemm::{Local, gemm_alone};
use super::kernel::Kernel;
use super::pack::Matrix;
use crate::ops::training::attention_backward::Inputs;
use crate::shared::Shared;
use crate::simd::Machine;
use crate::simd::isa::{Isa, Work};
use crate::simd::math::{dot, exp};

/// `dturned [T, (H + 2K)·A]`
pub(crate) fn run(engine: &mut Engine, params: &Params, inputs: Inputs<'_>, dturned: &mut [f32]) {
    let n_kv = params.heads.n_kv_heads as usize;
    let mut units: Vec<_> =
        inputs.rows.documents().flat_map(|document| (0..n_kv).map(move |g| (document.clone(), g))).collect();
    units.sort_by_key(|(document, _)| std::cmp::Reverse(document.len()));
    let dturned = Shared::new(dturned);
    let Engine { machine, exact, packs, .. } = engine;
    machine.pool.share(&mut packs.locals, units.len(), 1, |local, range| {
        for (document, group) in &units[range] {
            let (first, n_rows) = (document.start, document.len());
            let unit = Unit { params, inputs, first, n_rows, group: *group, on: (machine, exact) };
            unit.run(local, &dturned);
        }
    });
}

/// One document and key/value head.
#[derive(Debug, Clone, Copy)]
struct Unit<'a> {
    params: &'a Params,
    inputs: Inputs<'a>,
    first: usize,
    n_rows: usize,
    group: usize,
    on: (&'a Machine, &'a Kernel),
}

/// Some of the rows, of one query head.
#[derive(Debug, Clone, Copy)]
struct Block {
    h: usize,
    start: usize,
    n_rows: usize,
    n_seen: usize,
}

impl Unit<'_> {
    fn size(&self) -> usize {
        self.params.heads.head_size as usize
    }

    fn run(&self, local: &mut Local, dturned: &Shared<'_, f32>) {
        let (n, n_kv) = (self.params.heads.n_heads as usize, self.params.heads.n_kv_heads as usize);
        let elements = self.n_rows * self.size();
        let mut both = std::mem::take(&mut local.values[0]);
        both.clear();
        both.resize(2 * elements, 0.0);
        let (dkeys, dvalues) = both.split_at_mut(elements);
        for h in self.group * (n / n_kv)..(self.group + 1) * (n / n_kv) {
            for start in (0..self.n_rows).step_by(BLOCK) {
                let n_rows = BLOCK.min(self.n_rows - start);
                let block = Block { h, start: self.first + start, n_rows, n_seen: start + n_rows };
                self.block(local, block, [&mut *dkeys, &mut *dvalues], dturned);
            }
        }
        self.copy(dturned, (self.first, n + self.group), dkeys);
        self.copy(dturned, (self.first, n + n_kv + self.group), dvalues);
        local.values[0] = both;
    }

    /// Adds what a block gives to keys and values, and writes what its queries have.
    fn block(
        &self,
        local: &mut Local,
        block: Block,
        [dkeys, dvalues]: [&mut [f32]; 2],
        dturned: &Shared<'_, f32>,
    ) {
        let Block { h, start, n_rows, n_seen } = block;
        let (size, heads) = (self.size(), Heads { params: self.params, turned: self.inputs.turned });
        let n_heads = self.params.heads.n_heads as usize;
        let (queries, keys) = (heads.queries(start, n_rows, h), heads.keys(self.first, n_seen, h));
        let values = heads.values(self.first, n_seen, h);
        let dy =
            Matrix::part(&self.inputs.dy[(start * n_heads + h) * size..], [n_rows, size], n_heads * size);
        let [mut shares, mut dz, mut dq] = [1, 2, 3].map(|i| std::mem::take(&mut local.values[i]));
        shares.resize(n_rows * n_seen, 0.0);
        dz.resize(n_rows * n_seen, 0.0);
        dq.resize(n_rows * size, 0.0);
        gemm_alone(self.on, local, [queries, keys.transposed()], (&mut shares, n_seen), Write::Set);
        gemm_alone(self.on, local, [dy, values.transposed()], (&mut dz, n_seen), Write::Set);
        let scores = Scores { unit: self, block, shares: &mut shares, dz: &mut dz };
        self.on.0.level.run(scores);
        let (p, dz_rows) = (Matrix::rows(&shares, n_seen), Matrix::rows(&dz, n_seen));
        gemm_alone(self.on, local, [p.transposed(), dy], (dvalues, size), Write::Add);
        gemm_alone(self.on, local, [dz_rows, keys], (&mut dq, size), Write::Set);
        gemm_alone(self.on, local, [dz_rows.transposed(), queries], (dkeys, size), Write::Add);
        self.copy(dturned, (start, h), &dq);
        (local.values[1], local.values[2], local.values[3]) = (shares, dz, dq);
    }

    /// Copies rows of a head to where they belong.
    fn copy(&self, dturned: &Shared<'_, f32>, (first, idx): (usize, usize), rows: &[f32]) {
        let (width, size) = (self.params.heads.width(), self.size());
        for (t, row) in (first..).zip(rows.chunks_exact(size)) {
            let start = t * width + idx * size;
            // SAFETY: each head of each row is given to one thread.
            unsafe { dturned.part(start..start + size) }.copy_from_slice(row);
        }
    }
}

/// Scores that become shares, and gradients of shares that become those of scores.
struct Scores<'a> {
    unit: &'a Unit<'a>,
    block: Block,
    /// `[rows, n_seen]`
    shares: &'a mut [f32],
    /// `[rows, n_seen]`
    dz: &'a mut [f32],
}

impl Work for Scores<'_> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let Block { h, start, n_seen, .. } = self.block;
        let Unit { params, inputs, first, .. } = *self.unit;
        let (n_heads, size) = (params.heads.n_heads as usize, params.heads.head_size as usize);
        let rows = self.shares.chunks_exact_mut(n_seen).zip(self.dz.chunks_exact_mut(n_seen));
        for (t, (shares, dz)) in (start..).zip(rows) {
            let place = t * n_heads + h;
            let head = place * size..(place + 1) * size;
            let delta = dot(&inputs.dy[head.clone()], &inputs.y[head]);
            let (log_sum, scale) = (inputs.log_sums[place], params.scale);
            let n = t - first + 1;
            for (p, dz) in shares[..n].iter_mut().zip(&mut dz[..n]) {
                *p = exp(*p * scale - log_sum);
                *dz = *p * (*dz - delta) * scale;
            }
            shares[n..].fill(0.0);
            dz[n..].fill(0.0);
        }
    }
}
