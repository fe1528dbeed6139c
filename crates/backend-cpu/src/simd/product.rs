//! Products of matrices with tokens, 16 rows and a few tokens at a time, shared out by rows.

use std::ops::Range;

use hala_tensor::{Data, Tensor};

use super::Machine;
use super::isa::{Isa, N_DOT_ROWS, Work};
use super::layout::{N_ROWS, Panel, Width};
use super::quantised::Quantised;
use super::rows::decode;
use super::scratch::{Local, at_least};
use crate::weight::Stored;

/// Units that one thread takes at a time at most.
const MAX_PIECE: usize = 8;

/// Bytes of a matrix that one thread takes at a time, about: they stay in its second-level cache while the tokens go by.
const PIECE_BYTES: usize = 128 << 10;

/// A matrix with what it is multiplied with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operand<'a> {
    /// `[O, I]`
    pub(crate) weight: &'a Stored,
    /// `[T, I]`
    pub(crate) x: &'a [f32],
    /// I
    pub(crate) n_in: usize,
    /// `x` in the blocks of the matrix, where that has panels.
    pub(crate) codes: Option<&'a Quantised>,
}

impl<'a> Operand<'a> {
    /// O, rows of the matrix.
    pub(crate) fn n_rows(&self) -> usize {
        self.weight.shape().n_rows()
    }

    /// Units of 16 rows.
    pub(crate) fn n_units(&self) -> usize {
        self.n_rows().div_ceil(N_ROWS)
    }

    /// Bytes that a unit takes in the cache.
    fn unit_bytes(&self) -> usize {
        let n_bits = match self.weight {
            Stored::Panels(panels) => panels.n_bits(),
            Stored::Rows(_) => 32,
        };
        self.n_in * N_ROWS * n_bits / 8
    }

    /// A unit ready to be multiplied; `room` is where rows are decoded to, unless each is needed but `once`.
    #[inline(always)]
    fn unit(&self, idx: usize, room: &'a mut [f32], once: bool) -> Unit<'a> {
        match (self.weight, self.codes) {
            (Stored::Panels(panels), Some(codes)) => Unit::Panel(panels.panel(idx), codes),
            (Stored::Panels(_), None) => unreachable!("inputs of matrices in panels are quantised"),
            (Stored::Rows(tensor), _) => {
                if let Data::F32(values) = tensor.data()
                    && (idx + 1) * N_ROWS <= self.n_rows()
                {
                    let n = self.n_in * N_ROWS;
                    return Unit::Rows(&values[idx * n..(idx + 1) * n], self.x, self.n_in);
                }
                if once {
                    return Unit::Coded(tensor, idx * N_ROWS, self.x);
                }
                decode_rows(tensor, idx * N_ROWS, room);
                Unit::Rows(room, self.x, self.n_in)
            }
        }
    }
}

/// Decodes rows of `tensor` from `first` on into `room`; those past the last are zeros.
#[inline(always)]
fn decode_rows(tensor: &Tensor, first: usize, room: &mut [f32]) {
    let (n_rows, n_in) = (tensor.shape().n_rows(), tensor.shape().n_columns());
    for (row, out) in (first..).zip(room.chunks_exact_mut(n_in)) {
        if row < n_rows { decode(tensor, row, out) } else { out.fill(0.0) }
    }
}

/// Sixteen rows with what they are multiplied with.
#[derive(Debug, Clone, Copy)]
enum Unit<'a> {
    Panel(Panel<'a>, &'a Quantised),
    /// `[16, I]`, `[T, I]` and I.
    Rows(&'a [f32], &'a [f32], usize),
    /// Rows of a matrix from this one on, not decoded yet, and `[T, I]`.
    Coded(&'a Tensor, usize, &'a [f32]),
}

impl Unit<'_> {
    /// The products of 16 rows with `M` tokens; `room` is for a few rows.
    #[inline(always)]
    fn tile<I: Isa, const M: usize>(
        &self,
        isa: I,
        first_token: usize,
        room: &mut Vec<f32>,
    ) -> [[f32; N_ROWS]; M] {
        match self {
            Self::Panel(panel, quantised) => {
                let x = quantised.tokens(first_token);
                match panel.width {
                    Width::Int8 => isa.tile::<8, M>(*panel, x),
                    Width::Int4 => isa.tile::<4, M>(*panel, x),
                }
            }
            Self::Rows(rows, x, n_in) => {
                let mut out = [[0.0; N_ROWS]; M];
                for (quad, rows) in rows.chunks_exact(N_DOT_ROWS * n_in).enumerate() {
                    quad_dots(isa, rows, &x[first_token * n_in..], quad, &mut out);
                }
                out
            }
            Self::Coded(tensor, first_row, x) => {
                let n_in = tensor.shape().n_columns();
                let room = at_least(room, N_DOT_ROWS * n_in);
                let mut out = [[0.0; N_ROWS]; M];
                // A few rows at a time stay in the first cache until they are multiplied.
                for quad in 0..N_ROWS / N_DOT_ROWS {
                    decode_rows(tensor, first_row + quad * N_DOT_ROWS, room);
                    quad_dots(isa, room, &x[first_token * n_in..], quad, &mut out);
                }
                out
            }
        }
    }
}

/// Four of a unit's rows with `M` tokens.
#[inline(always)]
fn quad_dots<I: Isa, const M: usize>(
    isa: I,
    rows: &[f32],
    x: &[f32],
    quad: usize,
    out: &mut [[f32; N_ROWS]; M],
) {
    let n_in = rows.len() / N_DOT_ROWS;
    let token = |m: usize| &x[m * n_in..][..n_in];
    let column = quad * N_DOT_ROWS;
    let mut m = 0;
    while m < M {
        if M - m >= 3 {
            let sums = isa.dots(rows, [token(m), token(m + 1), token(m + 2)]);
            for (out, sums) in out[m..].iter_mut().zip(sums) {
                out[column..column + N_DOT_ROWS].copy_from_slice(&sums);
            }
            m += 3;
        } else {
            let [sums] = isa.dots(rows, [token(m)]);
            out[m][column..column + N_DOT_ROWS].copy_from_slice(&sums);
            m += 1;
        }
    }
}

/// Where the products of one token with one unit of each operand go.
pub(crate) struct Place {
    /// Which unit, of those that were asked for.
    pub(crate) unit: usize,
    /// Which token.
    pub(crate) token: usize,
}

/// Products of `N` matrices at once, and what becomes of them.
pub(crate) trait Products<'a, const N: usize>: Sync {
    /// The matrices of a unit of the work, and their own units.
    fn operands(&self, unit: usize) -> [(Operand<'a>, usize); N];

    /// Takes the products of one token; `inline(always)`.
    fn take(&self, place: Place, sums: [&[f32; N_ROWS]; N]);
}

/// Multiplies `n_units` units with all tokens.
pub(crate) fn products<'a, const N: usize>(
    machine: &Machine,
    locals: &mut [Local],
    [n_units, n_tokens]: [usize; 2],
    products: &impl Products<'a, N>,
) {
    if n_units == 0 {
        return;
    }
    let unit_bytes: usize = products.operands(0).iter().map(|(operand, _)| operand.unit_bytes()).sum();
    let piece = (PIECE_BYTES / unit_bytes.max(1)).clamp(1, MAX_PIECE);
    machine.pool.share(locals, n_units, piece, |local, units| {
        machine.level.run(Piece::<_, N> { products, local, units, n_tokens });
    });
}

/// Some units with all tokens.
struct Piece<'l, P, const N: usize> {
    products: &'l P,
    local: &'l mut Local,
    units: Range<usize>,
    n_tokens: usize,
}

impl<'a, const N: usize, P: Products<'a, N>> Work for Piece<'_, P, N> {
    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Self { products, local, units, n_tokens } = self;
        let once = tile_size(n_tokens, I::N_TOKENS) == n_tokens;
        let Local { rows, values, .. } = local;
        let room = units.clone().flat_map(|unit| products.operands(unit));
        let room: usize = room.map(|(operand, _)| operand.n_in * N_ROWS).sum();
        let mut room = at_least(rows, if once { 0 } else { room });
        // Loops, not closures: what is not inlined is not compiled for the instruction set.
        let mut ready: [[Option<Unit<'_>>; N]; MAX_PIECE] = [[None; N]; MAX_PIECE];
        for (ready, unit) in ready.iter_mut().zip(units.clone()) {
            for (ready, (operand, idx)) in ready.iter_mut().zip(products.operands(unit)) {
                let n = if once { 0 } else { operand.n_in * N_ROWS };
                let (own, rest) = std::mem::take(&mut room).split_at_mut(n);
                room = rest;
                *ready = Some(operand.unit(idx, own, once));
            }
        }
        let mut first = 0;
        while first < n_tokens {
            let n = tile_size(n_tokens - first, I::N_TOKENS);
            for (unit, ready) in units.clone().zip(&ready) {
                macro_rules! tile {
                    ($m:literal) => {{
                        let mut tiles = [[[0.0; N_ROWS]; $m]; N];
                        for (tile, unit) in tiles.iter_mut().zip(ready.iter().flatten()) {
                            *tile = unit.tile::<I, $m>(isa, first, values);
                        }
                        for m in 0..$m {
                            let place = Place { unit, token: first + m };
                            products.take(place, std::array::from_fn(|n| &tiles[n][m]));
                        }
                    }};
                }
                match n {
                    1 => tile!(1),
                    2 => tile!(2),
                    3 => tile!(3),
                    // What an instruction set never asks for is not compiled for it.
                    4 if I::N_TOKENS >= 4 => tile!(4),
                    6 if I::N_TOKENS >= 6 => tile!(6),
                    8 if I::N_TOKENS >= 8 => tile!(8),
                    _ => unreachable!("no size of a tile"),
                }
            }
            first += n;
        }
    }
}

/// Tokens of the next tile: the largest size that is compiled, for at most `most` tokens.
#[inline(always)]
fn tile_size(n_left: usize, most: usize) -> usize {
    const SIZES: [usize; 6] = [8, 6, 4, 3, 2, 1];
    SIZES.into_iter().find(|size| *size <= n_left.min(most)).unwrap_or(1)
}
