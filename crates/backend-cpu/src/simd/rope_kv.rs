//! Norm and rotation of each query and key head, row by row; keys and values into the cache.

use std::ops::Range;

use hala_plan::PAGE;
use hala_plan::ops::rope_kv::Params;

use super::isa::{Isa, Work};
use super::math::rms_norm;
use super::scratch::{Local, at_least};
use super::{Machine, Scratch};
use crate::ops::rope_kv::{Inputs, Outputs, turn};
use crate::page::Page;
use crate::places::Entry;
use crate::shared::Shared;

/// Rows that one thread takes at a time.
const PIECE: usize = 8;

/// An element of a KV cache, with its conversions by the row.
pub(crate) trait Cell: crate::ops::Cell {
    /// The nearest cells to values.
    fn store(from: &[f32], to: &mut [Self]);
    /// The cells' values: the cells themselves, or in `room`.
    fn values<'a>(from: &'a [Self], room: &'a mut [f32]) -> &'a [f32];
}

impl Cell for f32 {
    #[inline(always)]
    fn store(from: &[f32], to: &mut [Self]) {
        to.copy_from_slice(from);
    }

    #[inline(always)]
    fn values<'a>(from: &'a [Self], _: &'a mut [f32]) -> &'a [f32] {
        from
    }
}

impl Cell for half::f16 {
    #[inline(always)]
    fn store(from: &[f32], to: &mut [Self]) {
        half::slice::HalfFloatSliceExt::convert_from_f32_slice(to, from);
    }

    #[inline(always)]
    fn values<'a>(from: &'a [Self], room: &'a mut [f32]) -> &'a [f32] {
        let room = &mut room[..from.len()];
        half::slice::HalfFloatSliceExt::convert_to_f32_slice(from, room);
        room
    }
}

/// Turns, normalises and stores every row's heads.
pub(crate) fn run<C: Cell>(
    machine: &Machine,
    scratch: &mut Scratch,
    params: &Params,
    inputs: Inputs<'_>,
    outputs: Outputs<'_, C>,
) {
    let [n_heads, n_kv_heads, head_size] =
        [params.n_heads, params.n_kv_heads, params.head_size].map(|n| n as usize);
    let width = (n_heads + 2 * n_kv_heads) * head_size;
    let n_rows = inputs.qkv.len() / width;
    let Outputs { q, keys, values } = outputs;
    let turn = Turn {
        params,
        sizes: Sizes { n_heads, n_kv_heads, head_size },
        inputs,
        q: Shared::new(q),
        keys,
        values,
    };
    machine.pool.share(&mut scratch.locals, n_rows, PIECE, |local, rows| {
        machine.level.run(Rows { turn: &turn, local, rows });
    });
}

#[derive(Clone, Copy)]
struct Sizes {
    n_heads: usize,
    n_kv_heads: usize,
    head_size: usize,
}

/// The work on all rows.
struct Turn<'a, C> {
    params: &'a Params,
    sizes: Sizes,
    inputs: Inputs<'a>,
    q: Shared<'a, f32>,
    keys: &'a [Page<C>],
    values: &'a [Page<C>],
}

/// Some of them.
struct Rows<'a, C> {
    turn: &'a Turn<'a, C>,
    local: &'a mut Local,
    rows: Range<usize>,
}

impl<C: Cell> Work for Rows<'_, C> {
    #[inline(always)]
    fn run<I: Isa>(self, _: I) {
        let turned = at_least(&mut self.local.rows, self.turn.sizes.head_size);
        // A loop, not a closure: what is not inlined is not compiled for the instruction set.
        for t in self.rows {
            self.turn.row(t, turned);
        }
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

    /// Works on row `t`; `turned` is room for one head.
    #[inline(always)]
    fn row(&self, t: usize, turned: &mut [f32]) {
        let Self { params, inputs, q, keys, values, .. } = self;
        let Sizes { n_heads, n_kv_heads, head_size } = self.sizes;
        let width = (n_heads + 2 * n_kv_heads) * head_size;
        let position = inputs.places.position(t);
        let head = |h: usize| &inputs.qkv[t * width + h * head_size..][..head_size];
        for h in 0..n_heads {
            let start = (t * n_heads + h) * head_size;
            // SAFETY: each row is given to one thread.
            let q = unsafe { q.part(start..start + head_size) };
            self.normalise(inputs.norms.map(|[q, _]| q), head(h), q);
            turn(params, *inputs, position, q);
        }
        let Entry { page, entry } = inputs.places.entry(t, params.table);
        for k in 0..n_kv_heads {
            let start = (k * PAGE + entry) * head_size;
            // SAFETY: each row is given to one thread, and nothing reads the pages; a row has an entry of its own, because rows of one
            // sequence have positions of their own, and no two sequences of a run write to one page, which is checked before.
            let keys = unsafe { keys[page].part(start..start + head_size) };
            self.normalise(inputs.norms.map(|[_, k]| k), head(n_heads + k), turned);
            turn(params, *inputs, position, turned);
            C::store(turned, keys);
            // SAFETY: as above.
            let values = unsafe { values[page].part(start..start + head_size) };
            C::store(head(n_heads + n_kv_heads + k), values);
        }
    }
}
