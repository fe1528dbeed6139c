//! Products of two matrices, packed block by block and shared out by rows of the result.
//!
//! A sum is never cut between threads, and its blocks are added in their order, so a result has the same bits with any number of threads. A row of the
//! result depends on its own row of the first matrix alone. Source of the loops: Goto and van de Geijn, "Anatomy of High-Performance Matrix
//! Multiplication", TOMS 2008.

use hala_plan::ops::matmul::Write;

use super::kernel::Kernel;
use super::pack::{Matrix, Pack, n_words};
use crate::shared::Shared;
use crate::simd::Machine;

/// Words of a sum that are packed at once: a panel of the second matrix then fits the first-level cache.
const DEPTH: usize = 256;

/// Columns that are packed at once, about: a block of the second matrix then fits the second- or third-level cache.
const N_COLUMNS: usize = 1024;

/// Groups of rows that a thread packs at once, at most: they stay in its second-level cache.
const N_GROUPS: usize = 8;

/// Room for packed operands.
#[derive(Debug, Default)]
pub(crate) struct Packs {
    /// The block of the second matrix, which all threads read.
    shared: Vec<u32>,
    /// One for each thread.
    pub(super) locals: Vec<Local>,
}

/// One thread's room.
#[derive(Debug, Default)]
pub(crate) struct Local {
    rows: Vec<u32>,
    columns: Vec<u32>,
    /// A tile at the edge of the result.
    edge: Vec<f32>,
    /// What ops put aside.
    pub(super) values: [Vec<f32>; 4],
}

impl Packs {
    /// Empty room for so many threads.
    pub(crate) fn new(n_threads: usize) -> Self {
        Self { shared: Vec::new(), locals: (0..n_threads).map(|_| Local::default()).collect() }
    }
}

/// The first `n` words.
fn at_least<T: Copy + Default>(values: &mut Vec<T>, n: usize) -> &mut [T] {
    if values.len() < n {
        values.resize(n, T::default());
    }
    &mut values[..n]
}

/// `c = a · b`, or `c += a · b`, with the rows of `c` `stride` elements apart.
pub(crate) fn gemm(
    (machine, kernel): (&Machine, &Kernel),
    packs: &mut Packs,
    [a, b]: [Matrix<'_>; 2],
    (c, stride): (&mut [f32], usize),
    write: Write,
) {
    let Packs { shared, locals } = packs;
    let (n_groups, c) = (a.n_rows.div_ceil(kernel.n_rows), Shared::new(c));
    let piece = (n_groups / (2 * machine.pool.n_threads())).clamp(1, N_GROUPS);
    for block in blocks(kernel, [a, b]) {
        let panels = at_least(shared, block.n_words());
        let panel = block.n_words() / block.n_panels();
        let parts = Shared::new(panels);
        machine.pool.share(locals, block.n_panels(), 1, |_, range| {
            // SAFETY: each panel is given to one thread.
            let out = unsafe { parts.part(range.start * panel..range.end * panel) };
            machine.level.run(block.pack_columns(range, out));
        });
        let panels = &shared[..block.n_words()];
        machine.pool.share(locals, n_groups, piece, |local, groups| {
            let first = groups.start * kernel.n_rows;
            let end = a.n_rows.min(groups.end * kernel.n_rows);
            let until = (end - 1) * stride + block.b.n_columns;
            // SAFETY: each group of rows is given to one thread, and rows do not overlap.
            let c = unsafe { c.part(first * stride..until) };
            block.rows(machine, (groups, panels), local, Rows { c, stride, write });
        });
    }
}

/// As [`gemm`], on the thread that calls it.
pub(super) fn gemm_alone(
    (machine, kernel): (&Machine, &Kernel),
    local: &mut Local,
    [a, b]: [Matrix<'_>; 2],
    (c, stride): (&mut [f32], usize),
    write: Write,
) {
    let n_groups = a.n_rows.div_ceil(kernel.n_rows);
    let mut columns = std::mem::take(&mut local.columns);
    for block in blocks(kernel, [a, b]) {
        let panels = at_least(&mut columns, block.n_words());
        machine.level.run(block.pack_columns(0..block.n_panels(), panels));
        for first in (0..n_groups).step_by(N_GROUPS) {
            let groups = first..n_groups.min(first + N_GROUPS);
            let c = &mut c[first * kernel.n_rows * stride..];
            block.rows(machine, (groups, panels), local, Rows { c, stride, write });
        }
    }
    local.columns = columns;
}

/// Some columns of the result with some of their sums.
#[derive(Debug, Clone)]
struct Block<'a> {
    kernel: &'a Kernel,
    a: Matrix<'a>,
    b: Matrix<'a>,
    columns: std::ops::Range<usize>,
    depth: std::ops::Range<usize>,
}

/// Some rows of the result, and what becomes of what they held.
#[derive(Debug)]
struct Rows<'c> {
    c: &'c mut [f32],
    stride: usize,
    write: Write,
}

/// The blocks of a product, in their order.
fn blocks<'a>(kernel: &'a Kernel, [a, b]: [Matrix<'a>; 2]) -> impl Iterator<Item = Block<'a>> {
    let width = N_COLUMNS.next_multiple_of(kernel.n_columns);
    let depth = DEPTH * kernel.per_word;
    let columns = (0..b.n_columns).step_by(width).map(move |first| first..b.n_columns.min(first + width));
    columns.flat_map(move |columns| {
        (0..a.n_columns).step_by(depth).map(move |first| {
            let depth = first..a.n_columns.min(first + depth);
            Block { kernel, a, b, columns: columns.clone(), depth }
        })
    })
}

impl<'a> Block<'a> {
    fn n_panels(&self) -> usize {
        self.columns.len().div_ceil(self.kernel.n_columns)
    }

    fn n_words(&self) -> usize {
        self.n_panels() * n_words(self.kernel.n_columns, self.depth.len(), self.kernel.per_word)
    }

    /// Packs some panels of the second matrix.
    fn pack_columns<'o>(&self, panels: std::ops::Range<usize>, out: &'o mut [u32]) -> Pack<'o>
    where
        'a: 'o,
    {
        let Kernel { n_columns, per_word, .. } = *self.kernel;
        let first = self.columns.start / n_columns;
        let groups = first + panels.start..first + panels.end;
        let matrix = self.b.transposed();
        Pack { matrix, n_lanes: n_columns, per_word, groups, columns: self.depth.clone(), out }
    }

    /// Computes groups of rows, of which `rows` begins with the first.
    fn rows(
        &self,
        machine: &Machine,
        (groups, panels): (std::ops::Range<usize>, &[u32]),
        local: &mut Local,
        rows: Rows<'_>,
    ) {
        let Kernel { n_rows, n_columns, per_word, .. } = *self.kernel;
        let Rows { c, stride, write } = rows;
        let n_steps = self.depth.len().div_ceil(per_word);
        let group = n_steps * n_rows;
        let packed = at_least(&mut local.rows, group * groups.len());
        let (matrix, columns) = (self.a, self.depth.clone());
        machine.level.run(Pack {
            matrix,
            n_lanes: n_rows,
            per_word,
            groups: groups.clone(),
            columns,
            out: packed,
        });
        let packed = &local.rows[..group * groups.len()];
        let edge = at_least(&mut local.edge, n_rows * n_columns);
        let add = write == Write::Add || self.depth.start > 0;
        for (panel_idx, panel) in panels.chunks_exact(n_steps * n_columns).enumerate() {
            let column = self.columns.start + panel_idx * n_columns;
            let width = n_columns.min(self.columns.end - column);
            for (idx, a) in packed.chunks_exact(group).enumerate() {
                let height = n_rows.min(self.a.n_rows - (groups.start + idx) * n_rows);
                let c = &mut c[idx * n_rows * stride + column..];
                if height == n_rows && width == n_columns {
                    self.kernel.tile(n_steps, [a, panel], (c, stride), add);
                    continue;
                }
                self.kernel.tile(n_steps, [a, panel], (edge, n_columns), false);
                for (c, sums) in c.chunks_mut(stride).zip(edge.chunks_exact(n_columns)).take(height) {
                    for (c, sum) in c.iter_mut().zip(&sums[..width]) {
                        *c = if add { *c + sum } else { *sum };
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]

    use half::bf16;

    use super::*;
    use crate::pool::Pool;
    use crate::simd::level::Level;

    /// Rows and columns of the result, and elements of a sum: around tiles, and beyond a block.
    const SHAPES: [[usize; 3]; 6] =
        [[1, 1, 1], [3, 5, 7], [14, 32, 2], [29, 67, 515], [130, 31, 129], [15, 1100, 33]];

    /// Numbers that are no bf16, from -1 to 1.
    fn values(n: usize, seed: u32) -> Vec<f32> {
        let value =
            |i: u32| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) as f32 / (1 << 23) as f32 - 1.0;
        (1..=n as u32).map(value).collect()
    }

    /// `x [m, k]`, as it lies in memory in the one way and in the other.
    fn both_ways(x: &[f32], m: usize, k: usize) -> [(Vec<f32>, bool); 2] {
        let turned = (0..m * k).map(|i| x[i % m * k + i / m]).collect();
        [(x.to_vec(), false), (turned, true)]
    }

    fn matrix(x: &(Vec<f32>, bool), m: usize, k: usize) -> Matrix<'_> {
        if x.1 { Matrix::rows(&x.0, m).transposed() } else { Matrix::rows(&x.0, k) }
    }

    /// `before + a · b` in f64, of factors rounded as the kernel rounds them.
    fn expected(kernel: &Kernel, [a, b]: [&[f32]; 2], [m, n, k]: [usize; 3], before: f64) -> Vec<f64> {
        let value = |x: f32| f64::from(if kernel.per_word == 2 { bf16::from_f32(x).to_f32() } else { x });
        let sum = |i: usize, j: usize| (0..k).map(|l| value(a[i * k + l]) * value(b[l * n + j])).sum::<f64>();
        (0..m * n).map(|i| before + sum(i / n, i % n)).collect()
    }

    #[test]
    fn every_kernel_multiplies_matrices_of_any_shape_and_layout() {
        let machine = Machine { pool: Pool::new(3).unwrap(), level: Level::all()[0] };
        let mut packs = Packs::new(3);
        for (kernel, shape) in Kernel::all().iter().flat_map(|kernel| SHAPES.map(|shape| (kernel, shape))) {
            let [m, n, k] = shape;
            let (a, b) = (values(m * k, 1), values(k * n, 2));
            for (a_way, b_way) in
                both_ways(&a, m, k).iter().flat_map(|a| both_ways(&b, k, n).map(|b| (a.clone(), b)))
            {
                let operands = [matrix(&a_way, m, k), matrix(&b_way, k, n)];
                for (write, before) in [(Write::Set, 0.0), (Write::Add, 2.0)] {
                    let [mut shared, mut alone] = [vec![2.0f32; m * n], vec![2.0f32; m * n]];
                    gemm((&machine, kernel), &mut packs, operands, (&mut shared, n), write);
                    gemm_alone((&machine, kernel), &mut packs.locals[0], operands, (&mut alone, n), write);
                    assert_eq!(shared, alone, "{kernel:?}, {shape:?}: on one thread and on three");
                    let expected = expected(kernel, [&a, &b], shape, before);
                    for (found, expected) in shared.iter().zip(expected) {
                        let error = (f64::from(*found) - expected).abs() / (k as f64).sqrt();
                        assert!(error < 1e-5, "{kernel:?}, {shape:?}, {write:?}: {found} and {expected}");
                    }
                }
            }
        }
    }
}
