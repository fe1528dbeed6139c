//! Norm and rotation of each query and key head; keys and values into the cache.

use hala_plan::PAGE;
use hala_plan::ops::rope_kv::Params;

use super::{Cell, rms_norm};
use crate::page::Page;
use crate::places::{Entry, Placed};

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    /// `[T, (H + 2K)·A]`
    pub(crate) qkv: &'a [f32],
    /// `[A]` of queries, `[A]` of keys
    pub(crate) norms: Option<[&'a [f32]; 2]>,
    /// `[S, A]`
    pub(crate) rope: Option<&'a [f32]>,
    /// Whose rows they are, and where those go.
    pub(crate) places: Placed<'a>,
}

/// What is written: `q [T, H·A]`, pages of `keys` and `values [K, PAGE, A]`.
#[derive(Debug)]
pub(crate) struct Outputs<'a, C> {
    pub(crate) q: &'a mut [f32],
    pub(crate) keys: &'a mut [Page<C>],
    pub(crate) values: &'a mut [Page<C>],
}

/// Turns, normalises and stores every row's heads.
pub(crate) fn run<C: Cell>(params: &Params, inputs: Inputs<'_>, outputs: Outputs<'_, C>) {
    let Outputs { q, keys, values } = outputs;
    let [n_heads, n_kv_heads, head_size] =
        [params.n_heads, params.n_kv_heads, params.head_size].map(|n| n as usize);
    let width = (n_heads + 2 * n_kv_heads) * head_size;
    let mut head = vec![0.0; head_size];
    for (t, (row, q)) in
        inputs.qkv.chunks_exact(width).zip(q.chunks_exact_mut(n_heads * head_size)).enumerate()
    {
        let position = inputs.places.position(t);
        let Entry { page, entry } = inputs.places.entry(t, params.table);
        let cells = |k: usize| (k * PAGE + entry) * head_size..(k * PAGE + entry + 1) * head_size;
        let turn = |head: &mut [f32]| turn(params, inputs, position, head);
        let mut heads = row.chunks_exact(head_size);
        for (q, h) in q.chunks_exact_mut(head_size).zip(&mut heads) {
            normalise(params, inputs.norms.map(|[q, _]| q), h, q);
            turn(q);
        }
        for (k, h) in heads.by_ref().take(n_kv_heads).enumerate() {
            normalise(params, inputs.norms.map(|[_, k]| k), h, &mut head);
            turn(&mut head);
            store(&head, &mut keys[page].cells_mut()[cells(k)]);
        }
        for (k, h) in heads.enumerate() {
            store(h, &mut values[page].cells_mut()[cells(k)]);
        }
    }
}

/// `z = w · h / √(mean(h²) + ε)`, or `h` where there is no norm.
fn normalise(params: &Params, weight: Option<&[f32]>, h: &[f32], z: &mut [f32]) {
    match weight {
        Some(weight) => rms_norm(h, weight, params.eps, z),
        None => z.copy_from_slice(h),
    }
}

/// Turns a head by the angles of a position, where there are any.
#[inline(always)]
pub(crate) fn turn(params: &Params, inputs: Inputs<'_>, position: usize, head: &mut [f32]) {
    let Some(rope) = inputs.rope else { return };
    let angles = &rope[position * head.len()..][..head.len()];
    if params.turn == 2 {
        rotate_neighbours(head, angles);
    } else {
        rotate_halves(head, angles);
    }
}

/// Turns the pairs `(2i, 2i + 1)` by the angles whose cosines and sines are given.
#[inline(always)]
fn rotate_neighbours(head: &mut [f32], angles: &[f32]) {
    let (cos, sin) = angles.split_at(head.len() / 2);
    for ([a, b], (c, s)) in head.as_chunks_mut::<2>().0.iter_mut().zip(cos.iter().zip(sin)) {
        (*a, *b) = (*a * c - *b * s, *b * c + *a * s);
    }
}

/// Turns the pairs `(i, i + A/2)` by the angles whose cosines and sines are given.
#[inline(always)]
fn rotate_halves(head: &mut [f32], angles: &[f32]) {
    let half = head.len() / 2;
    let (low, high) = head.split_at_mut(half);
    let (cos, sin) = angles.split_at(half);
    for ((low, high), (c, s)) in low.iter_mut().zip(high).zip(cos.iter().zip(sin)) {
        (*low, *high) = (*low * c - *high * s, *high * c + *low * s);
    }
}

fn store<C: Cell>(from: &[f32], to: &mut [C]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = C::from_value(*from);
    }
}
