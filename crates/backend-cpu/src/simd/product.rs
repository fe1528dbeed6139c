//! Products of matrices with tokens, 16 rows and a few tokens at a time, shared out by rows.

use std::ops::Range;

use hala_tensor::{Data, Tensor};

use super::Machine;
use super::floats::{BF16, E4M3, F16, F32, Float, FloatInputs, FloatPanel};
use super::isa::{Isa, N_DOT_ROWS, Work};
use super::layout::{N_ROWS, Panel, Width};
use super::quantised::Quantised;
use super::scratch::{Local, at_least};
use super::tiles::Tiled;
use crate::weight::Stored;

/// Units that one thread takes at a time at most.
const MAX_PIECE: usize = 8;

/// Units of matrices of those; one of the work has two at most.
const MAX_UNITS: usize = 2 * MAX_PIECE;

/// Bytes of a matrix that one thread takes at a time, about: they stay in its second-level cache while the tokens go by.
const PIECE_BYTES: usize = 128 << 10;

/// Tiles of tokens that each decode a matrix of floats for themselves; with more, it is decoded once for all.
const N_DECODED: usize = 2;

/// What a matrix is multiplied with, `[T, I]`, in the form that its kernel reads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Inputs<'a> {
    /// Token by token.
    Rows(&'a [f32]),
    /// Of matrices of whole numbers: codes in their blocks.
    Codes(&'a Quantised),
    /// Of matrices of floats: tiles of tokens side by side.
    Tiles(Tiled<'a>),
}

/// A matrix with what it is multiplied with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operand<'a> {
    /// `[O, I]`
    pub(crate) weight: &'a Stored,
    /// I
    pub(crate) n_in: usize,
    pub(crate) inputs: Inputs<'a>,
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
            Stored::Floats(_) | Stored::Rows(_) => 32,
        };
        self.n_in * N_ROWS * n_bits / 8
    }

    /// A unit ready to be multiplied; `room` is where numbers are decoded to, unless each is needed but `once`.
    #[inline(always)]
    fn unit(&self, idx: usize, room: &'a mut [f32], once: bool) -> Unit<'a> {
        match (self.weight, self.inputs) {
            (Stored::Panels(panels), Inputs::Codes(codes)) => Unit::Panel(panels.panel(idx), codes),
            (Stored::Floats(panels), Inputs::Tiles(tiles)) if once => Unit::Floats(panels.panel(idx), tiles),
            (Stored::Floats(panels), Inputs::Tiles(tiles)) => {
                Unit::Floats(panels.panel(idx).decoded(room), tiles)
            }
            (Stored::Rows(tensor), Inputs::Rows(x)) => Unit::Rows(tensor, idx * N_ROWS, x),
            _ => unreachable!("inputs are prepared for their matrix"),
        }
    }
}

/// Sixteen rows with what they are multiplied with.
#[derive(Debug, Clone, Copy)]
enum Unit<'a> {
    Panel(Panel<'a>, &'a Quantised),
    Floats(FloatPanel<'a>, Tiled<'a>),
    /// Rows of a matrix of f32 from this one on, and `[T, I]`.
    Rows(&'a Tensor, usize, &'a [f32]),
}

/// The products of two units, of 16 rows each, with `M` tokens; `room` is for a few rows.
#[inline(always)]
fn two_tiles<I: Isa, const M: usize>(
    isa: I,
    [a, b]: [&Unit<'_>; 2],
    first_token: usize,
    room: &mut Vec<f32>,
) -> [[[f32; N_ROWS]; M]; 2] {
    // Floats share what is read of the tokens.
    if let (Unit::Floats(a, tiles), Unit::Floats(b, _)) = (a, b)
        && a.float == b.float
    {
        return floats_tile(isa, [*a, *b], tiles.tokens(first_token));
    }
    [tile(isa, a, first_token, room), tile(isa, b, first_token, room)]
}

/// The products of a unit's 16 rows with `M` tokens.
#[inline(always)]
fn tile<I: Isa, const M: usize>(
    isa: I,
    unit: &Unit<'_>,
    first_token: usize,
    room: &mut Vec<f32>,
) -> [[f32; N_ROWS]; M] {
    match unit {
        Unit::Panel(panel, quantised) => {
            let x = quantised.tokens(first_token);
            match panel.width {
                Width::Int8 => isa.tile::<8, M>(*panel, x),
                Width::Int4 => isa.tile::<4, M>(*panel, x),
            }
        }
        Unit::Floats(panel, tiles) => {
            let [out] = floats_tile(isa, [*panel], tiles.tokens(first_token));
            out
        }
        Unit::Rows(tensor, first_row, x) => rows_tile(isa, (tensor, *first_row), (x, first_token), room),
    }
}

/// The products of panels of one format with `M` tokens, with the rows' scales.
#[inline(always)]
fn floats_tile<I: Isa, const M: usize, const U: usize>(
    isa: I,
    panels: [FloatPanel<'_>; U],
    x: FloatInputs<'_>,
) -> [[[f32; N_ROWS]; M]; U] {
    let mut out = match panels[0].float {
        Float::E4M3 => isa.float_tile::<E4M3, M, U>(panels, x),
        Float::F16 => isa.float_tile::<F16, M, U>(panels, x),
        Float::BF16 => isa.float_tile::<BF16, M, U>(panels, x),
        Float::F32 => isa.float_tile::<F32, M, U>(panels, x),
    };
    for (out, panel) in out.iter_mut().zip(&panels) {
        if let Some(scales) = panel.scales {
            for out in out {
                for (out, scale) in out.iter_mut().zip(scales) {
                    *out *= scale;
                }
            }
        }
    }
    out
}

/// Sixteen rows of a matrix of f32 from `first_row` on with `M` tokens from `first_token` on. Those past the last row are zeros.
#[inline(always)]
fn rows_tile<I: Isa, const M: usize>(
    isa: I,
    (tensor, first_row): (&Tensor, usize),
    (x, first_token): (&[f32], usize),
    room: &mut Vec<f32>,
) -> [[f32; N_ROWS]; M] {
    let n_in = tensor.shape().n_columns();
    let mut out = [[0.0; N_ROWS]; M];
    for quad in 0..N_ROWS / N_DOT_ROWS {
        let rows = rows_of(tensor, first_row + quad * N_DOT_ROWS, room);
        quad_dots(isa, rows, &x[first_token * n_in..], quad, &mut out);
    }
    out
}

/// Four rows of a matrix of f32 from `first` on, where they are; those at its end, in `room` with zeros after them.
#[inline(always)]
fn rows_of<'a>(tensor: &'a Tensor, first: usize, room: &'a mut Vec<f32>) -> &'a [f32] {
    let Data::F32(values) = tensor.data() else { unreachable!("other matrices are packed") };
    let n = N_DOT_ROWS * tensor.shape().n_columns();
    let start = (first * tensor.shape().n_columns()).min(values.len());
    let values = &values[start..];
    if values.len() >= n {
        return &values[..n];
    }
    let room = at_least(room, n);
    room[..values.len()].copy_from_slice(values);
    room[values.len()..].fill(0.0);
    room
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
        let once = n_tokens <= N_DECODED * I::N_TOKENS;
        let Local { rows, values, .. } = local;
        let room = units.clone().flat_map(|unit| products.operands(unit));
        let room: usize = room.map(|(operand, _)| operand.n_in * N_ROWS).sum();
        let mut room = at_least(rows, if once { 0 } else { room });
        // Loops, not closures: what is not inlined is not compiled for the instruction set.
        let mut ready: [Option<Unit<'_>>; MAX_UNITS] = [None; MAX_UNITS];
        for (ready, unit) in ready.chunks_exact_mut(N).zip(units.clone()) {
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
            // Two units at a time: those of one unit of the work, or of two.
            for (pair, ready) in ready.chunks_exact(2).enumerate() {
                let unit = units.start + pair * 2 / N;
                macro_rules! tile {
                    ($m:literal) => {{
                        let tiles: [_; 2] = match ready {
                            [Some(a), Some(b)] => two_tiles::<I, $m>(isa, [a, b], first, values),
                            [Some(a), None] => [tile::<I, $m>(isa, a, first, values), [[0.0; N_ROWS]; $m]],
                            _ => break,
                        };
                        for (i, tiles) in tiles.chunks_exact(N).enumerate() {
                            let unit = unit + i;
                            if unit == units.end {
                                break;
                            }
                            for m in 0..$m {
                                let place = Place { unit, token: first + m };
                                products.take(place, std::array::from_fn(|n| &tiles[n][m]));
                            }
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
