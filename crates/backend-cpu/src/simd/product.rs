//! Products of matrices with tokens, 16 rows and up to 6 tokens at a time, shared out by rows.

use std::ops::Range;

use hala_tensor::Data;

use super::Machine;
use super::isa::{Isa, N_DOT_ROWS, N_ROWS, N_TOKENS, with_isa};
use super::panels::Panel;
use super::quantised::{Codes, Quantised};
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
    /// `x` in the blocks of the matrix, where that is int8.
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
        let n_bytes = if self.codes.is_some() { 1 } else { 4 };
        self.n_in * N_ROWS * n_bytes
    }

    /// A unit ready to be multiplied; `room` is where rows are decoded to.
    #[inline(always)]
    fn unit(&self, idx: usize, room: &'a mut [f32]) -> Unit<'a> {
        match (self.weight, self.codes) {
            (Stored::Panels(panels), Some(codes)) => Unit::Panel(panels.panel(idx), codes),
            (Stored::Panels(panels), None) => {
                self.decode_all(idx, room, |row, out| panels.row(row, out));
                Unit::Rows(room, self.x, self.n_in)
            }
            (Stored::Rows(tensor), _) => {
                if let Data::F32(values) = tensor.data()
                    && (idx + 1) * N_ROWS <= self.n_rows()
                {
                    let n = self.n_in * N_ROWS;
                    return Unit::Rows(&values[idx * n..(idx + 1) * n], self.x, self.n_in);
                }
                self.decode_all(idx, room, |row, out| decode(tensor, row, out));
                Unit::Rows(room, self.x, self.n_in)
            }
        }
    }

    #[inline(always)]
    fn decode_all(&self, idx: usize, room: &mut [f32], decode: impl Fn(usize, &mut [f32])) {
        let first = idx * N_ROWS;
        for (row, out) in (first..first + N_ROWS).zip(room.chunks_exact_mut(self.n_in)) {
            if row < self.n_rows() { decode(row, out) } else { out.fill(0.0) }
        }
    }
}

/// Sixteen rows with what they are multiplied with.
#[derive(Debug, Clone, Copy)]
enum Unit<'a> {
    Panel(Panel<'a>, &'a Quantised),
    /// `[16, I]`, `[T, I]` and I.
    Rows(&'a [f32], &'a [f32], usize),
}

impl Unit<'_> {
    #[inline(always)]
    fn tile<I: Isa, const M: usize>(&self, isa: I, first_token: usize) -> [[f32; N_ROWS]; M] {
        match self {
            Self::Panel(panel, codes) => {
                let x: [Codes<'_>; M] = std::array::from_fn(|m| codes.token(first_token + m));
                isa.int8_tile(*panel, x)
            }
            Self::Rows(rows, x, n_in) => {
                let mut out = [[0.0; N_ROWS]; M];
                let token = |m: usize| &x[(first_token + m) * n_in..][..*n_in];
                for (quad, rows) in rows.chunks_exact(N_DOT_ROWS * n_in).enumerate() {
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
                out
            }
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

/// Multiplies `n_units` units with all tokens: for each, `pick` names the operands and their units, and `sink` takes the
/// products of one token at a time.
pub(crate) fn products<'a, const N: usize>(
    machine: &Machine,
    locals: &mut [Local],
    [n_units, n_tokens]: [usize; 2],
    pick: impl Fn(usize) -> [(Operand<'a>, usize); N] + Sync,
    sink: impl Fn(Place, [&[f32; N_ROWS]; N]) + Sync,
) {
    if n_units == 0 {
        return;
    }
    let unit_bytes: usize = pick(0).iter().map(|(operand, _)| operand.unit_bytes()).sum();
    // Pieces small enough that the threads end at about the same time.
    let even = n_units.div_ceil(machine.pool.n_threads() * 8);
    let piece = (PIECE_BYTES / unit_bytes.max(1)).min(even).clamp(1, MAX_PIECE);
    machine.pool.share(locals, n_units, piece, |local, units| {
        with_isa!(machine.level, isa => isa.vectorise(|| piece_of_products(isa, local, units, n_tokens, (&pick, &sink))));
    });
}

#[inline(always)]
fn piece_of_products<'a, I: Isa, const N: usize>(
    isa: I,
    local: &mut Local,
    units: Range<usize>,
    n_tokens: usize,
    (pick, sink): (&impl Fn(usize) -> [(Operand<'a>, usize); N], &impl Fn(Place, [&[f32; N_ROWS]; N])),
) {
    let room: usize = units.clone().flat_map(pick).map(|(operand, _)| operand.n_in * N_ROWS).sum();
    let mut room = at_least(&mut local.rows, room);
    let mut ready: [Option<[Unit<'_>; N]>; MAX_PIECE] = [None; MAX_PIECE];
    for (ready, unit) in ready.iter_mut().zip(units.clone()) {
        *ready = Some(pick(unit).map(|(operand, idx)| {
            let (own, rest) = std::mem::take(&mut room).split_at_mut(operand.n_in * N_ROWS);
            room = rest;
            operand.unit(idx, own)
        }));
    }
    for first in (0..n_tokens).step_by(N_TOKENS) {
        for (unit, ready) in units.clone().zip(ready.iter().flatten()) {
            let place = |m: usize| Place { unit, token: first + m };
            macro_rules! tile {
                ($m:literal) => {{
                    let tiles = ready.map(|unit| unit.tile::<I, $m>(isa, first));
                    for m in 0..$m {
                        sink(place(m), std::array::from_fn(|n| &tiles[n][m]));
                    }
                }};
            }
            match n_tokens - first {
                1 => tile!(1),
                2 => tile!(2),
                3 => tile!(3),
                4 => tile!(4),
                5 => tile!(5),
                _ => tile!(6),
            }
        }
    }
}
