//! What matrices are multiplied with: tokens, normalised where asked, as floats and as codes.

use std::ops::Range;

use super::Machine;
use super::isa::{Isa, Work};
use super::layout::{Block, Layout};
use super::math::rms_norm;
use super::product::{Inputs, Operand};
use super::quantised::{Form, Quantised};
use super::scratch::{Local, Scratch, at_least};
use super::tiles::{Tiled, Tiles, TilesForm};
use crate::shared::Shared;
use crate::weight::Stored;

/// Tokens that one thread takes at a time.
const PIECE: usize = 8;

/// The norm before a product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Norm<'a> {
    /// `[I]`
    pub(crate) weight: &'a [f32],
    /// ε
    pub(crate) eps: f32,
}

/// The matrices of one op with their inputs, and the threads' own memory.
pub(crate) struct Prepared<'a, const N: usize> {
    pub(crate) operands: [Option<Operand<'a>>; N],
    pub(crate) locals: &'a mut [Local],
    pub(crate) n_tokens: usize,
}

/// Normalises and quantises `x [T, I]` as `weights` need it.
pub(crate) fn prepare<'a, const N: usize>(
    machine: &Machine,
    scratch: &'a mut Scratch,
    x: &'a [f32],
    norm: Option<Norm<'_>>,
    weights: [Option<&'a Stored>; N],
) -> Prepared<'a, N> {
    let n_in = weights.iter().flatten().next().map_or(1, |w| w.shape().n_columns()).max(1);
    let n_tokens = x.len() / n_in;
    let Scratch { normed, quantised, tiles, locals, .. } = scratch;
    let normed = at_least(normed, if norm.is_some() { x.len() } else { 0 });
    let mut forms = [None; N];
    let mut which = [None; N];
    for (i, weight) in weights.iter().enumerate() {
        if let Some(Stored::Panels(panels)) = weight {
            let (blocks, layout) = (panels.blocks(), panels.layout());
            let known = (0..i).find(|j| forms[*j] == Some((blocks, layout)));
            which[i] = Some(known.unwrap_or(i));
            if known.is_none() {
                forms[i] = Some((blocks, layout));
                quantised[i].resize(n_tokens, machine.level.n_tokens(), blocks, layout);
            }
        }
    }
    // One token is a tile as it is.
    let is_tiled = n_tokens > 1 && weights.iter().flatten().any(|weight| matches!(weight, Stored::Floats(_)));
    if is_tiled {
        tiles.resize(n_tokens, machine.level.n_tokens(), n_in);
    }
    let task = Task { x, n_in, norm, forms };
    task.run(machine, locals, Written { normed, quantised, tiles: is_tiled.then_some(&mut *tiles) });
    let (normed, quantised): (&[f32], &[Quantised]) = (normed, quantised);
    let x = if norm.is_some() { normed } else { x };
    let mut operands = [None; N];
    for ((operand, weight), which) in operands.iter_mut().zip(weights).zip(which) {
        *operand = weight.map(|weight| {
            let inputs = match (weight, which) {
                (Stored::Floats(_), _) if is_tiled => Inputs::Tiles(tiles.tiled()),
                (Stored::Floats(_), _) => Inputs::Tiles(Tiled::one(x)),
                (_, Some(i)) => Inputs::Codes(&quantised[i]),
                (_, None) => Inputs::Rows(x),
            };
            Operand { weight, n_in, inputs }
        });
    }
    Prepared { operands, locals, n_tokens }
}

/// The work of [`prepare`], token by token.
struct Task<'a, const N: usize> {
    x: &'a [f32],
    n_in: usize,
    norm: Option<Norm<'a>>,
    /// The blocks and the layout of each quantised form that is needed.
    forms: [Option<(&'a [Block], Layout)>; N],
}

/// Where [`prepare`] writes.
struct Written<'a> {
    normed: &'a mut [f32],
    quantised: &'a mut [Quantised],
    tiles: Option<&'a mut Tiles>,
}

/// The same while threads write.
struct Forms<'a, const N: usize> {
    normed: Shared<'a, f32>,
    quantised: [Option<Form<'a>>; N],
    tiles: Option<TilesForm<'a>>,
}

/// The work on some tokens, with what is written.
struct Tokens<'a, const N: usize> {
    task: &'a Task<'a, N>,
    forms: &'a Forms<'a, N>,
    tokens: Range<usize>,
}

impl<const N: usize> Work for Tokens<'_, N> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        // A loop, not a closure: what is not inlined is not compiled for the instruction set.
        for t in self.tokens {
            self.task.token(t, self.forms);
        }
    }
}

impl<const N: usize> Task<'_, N> {
    fn run(&self, machine: &Machine, locals: &mut [Local], written: Written<'_>) {
        let Written { normed, quantised, tiles } = written;
        if self.norm.is_none() && tiles.is_none() && self.forms.iter().all(Option::is_none) {
            return;
        }
        let mut quantised = quantised.iter_mut();
        let forms = Forms {
            normed: Shared::new(normed),
            quantised: std::array::from_fn(|i| {
                let quantised = quantised.next()?;
                self.forms[i].map(|(blocks, layout)| quantised.form(blocks, layout))
            }),
            tiles: tiles.map(Tiles::form),
        };
        // A tile of tokens is one thread's.
        let tile = machine.level.n_tokens();
        let n_tokens = self.x.len() / self.n_in;
        machine.pool.share(locals, n_tokens.div_ceil(tile), PIECE.div_ceil(tile), |_, tiles| {
            let tokens = tiles.start * tile..n_tokens.min(tiles.end * tile);
            machine.level.run(Tokens { task: self, forms: &forms, tokens });
        });
    }

    #[inline(always)]
    fn token(&self, t: usize, forms: &Forms<'_, N>) {
        let range = t * self.n_in..(t + 1) * self.n_in;
        let mut x = &self.x[range.clone()];
        if let Some(norm) = self.norm {
            // SAFETY: each token is given to one thread, and the parts of two tokens do not overlap.
            let out = unsafe { forms.normed.part(range) };
            rms_norm(x, norm.weight, norm.eps, out);
            x = out;
        }
        for form in forms.quantised.iter().flatten() {
            // SAFETY: pieces are of whole tiles.
            unsafe { form.set(t, x) };
        }
        if let Some(tiles) = &forms.tiles {
            // SAFETY: as above.
            unsafe { tiles.set(t, x) };
        }
    }
}
