//! Norm and rotation of each query and key head, token by token; keys and values into the cache.

use std::ops::Range;

use hala_plan::ops::rope_kv::Params;

use super::isa::{Isa, Work};
use super::math::rms_norm;
use super::scratch::{Local, at_least};
use super::{Machine, Scratch};
use crate::ops::rope_kv::{Inputs, turn};
use crate::shared::Shared;

/// Tokens that one thread takes at a time.
const PIECE: usize = 8;

/// An element of a KV cache, with its conversions by the row.
pub(crate) trait Cell: Copy + Send + Sync {
    /// The nearest cells to values.
    fn store(from: &[f32], to: &mut [Self]);
    /// The cells' values.
    fn load(from: &[Self], to: &mut [f32]);
}

impl Cell for f32 {
    #[inline(always)]
    fn store(from: &[f32], to: &mut [Self]) {
        to.copy_from_slice(from);
    }

    #[inline(always)]
    fn load(from: &[Self], to: &mut [f32]) {
        to.copy_from_slice(from);
    }
}

impl Cell for half::f16 {
    #[inline(always)]
    fn store(from: &[f32], to: &mut [Self]) {
        half::slice::HalfFloatSliceExt::convert_from_f32_slice(to, from);
    }

    #[inline(always)]
    fn load(from: &[Self], to: &mut [f32]) {
        half::slice::HalfFloatSliceExt::convert_to_f32_slice(from, to);
    }
}

/// What is written: `q [T, H·A]`, `keys` and `values [K, S, A]`.
#[derive(Debug)]
pub(crate) struct Outputs<'a, C> {
    pub(crate) q: &'a mut [f32],
    pub(crate) keys: &'a mut [C],
    pub(crate) values: &'a mut [C],
}

/// Turns, normalises and stores every token's heads.
pub(crate) fn run<C: Cell>(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    inputs: Inputs<'_>,
    outputs: Outputs<'_, C>,
) {
    let [n_heads, n_kv_heads, head_size, capacity] =
        [params.n_heads, params.n_kv_heads, params.head_size, params.capacity].map(|n| n as usize);
    let width = (n_heads + 2 * n_kv_heads) * head_size;
    let n_tokens = inputs.qkv.len() / width;
    let Outputs { q, keys, values } = outputs;
    let turn = Turn {
        params,
        sizes: Sizes { n_heads, n_kv_heads, head_size, capacity },
        inputs,
        q: Shared::new(q),
        keys: Shared::new(keys),
        values: Shared::new(values),
    };
    machine.pool.share(&mut scratch.locals, n_tokens, PIECE, |local, tokens| {
        machine.level.run(Tokens { turn: &turn, local, tokens });
    });
}

#[derive(Clone, Copy)]
struct Sizes {
    n_heads: usize,
    n_kv_heads: usize,
    head_size: usize,
    capacity: usize,
}

/// The work on all tokens.
struct Turn<'a, C> {
    params: &'a Params,
    sizes: Sizes,
    inputs: Inputs<'a>,
    q: Shared<'a, f32>,
    keys: Shared<'a, C>,
    values: Shared<'a, C>,
}

/// Some of them.
struct Tokens<'a, C> {
    turn: &'a Turn<'a, C>,
    local: &'a mut Local,
    tokens: Range<usize>,
}

impl<C: Cell> Work for Tokens<'_, C> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let turned = at_least(&mut self.local.rows, self.turn.sizes.head_size);
        self.tokens.for_each(|t| self.turn.token(t, turned));
    }
}

impl<C: Cell> Turn<'_, C> {
    #[inline(always)]
    fn normalise(&self, weight: Option<&[f32]>, h: &[f32], z: &mut [f32]) {
        match weight {
            Some(weight) => rms_norm(h, weight, self.params.eps, z),
            None => z.copy_from_slice(h),
        }
    }

    /// Works on token `t`; `turned` is room for one head.
    #[inline(always)]
    fn token(&self, t: usize, turned: &mut [f32]) {
        let Self { params, inputs, q, keys, values, .. } = self;
        let Sizes { n_heads, n_kv_heads, head_size, capacity } = self.sizes;
        let width = (n_heads + 2 * n_kv_heads) * head_size;
        let position = inputs.position + t;
        let head = |h: usize| &inputs.qkv[t * width + h * head_size..][..head_size];
        for h in 0..n_heads {
            let start = (t * n_heads + h) * head_size;
            // SAFETY: each token is given to one thread.
            let q = unsafe { q.part(start..start + head_size) };
            self.normalise(inputs.norms.map(|[q, _]| q), head(h), q);
            turn(params, *inputs, position, q);
        }
        for k in 0..n_kv_heads {
            let start = (k * capacity + position) * head_size;
            // SAFETY: each token is given to one thread, and has a position of its own.
            let keys = unsafe { keys.part(start..start + head_size) };
            self.normalise(inputs.norms.map(|[_, k]| k), head(n_heads + k), turned);
            turn(params, *inputs, position, turned);
            C::store(turned, keys);
            // SAFETY: as above.
            let values = unsafe { values.part(start..start + head_size) };
            C::store(head(n_heads + n_kv_heads + k), values);
        }
    }
}
