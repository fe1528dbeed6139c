//! Norm and rotation of each query and key head; values are copied.

use hala_plan::ops::training::turn_heads::Params;
use hala_plan::training::TrainRows;

use super::super::rms_norm;

/// What the op reads: `qkv [T, (H + 2K)·A]`, norms `[A]` of queries and of keys, `rope [S, A]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) qkv: &'a [f32],
    pub(crate) norms: Option<[&'a [f32]; 2]>,
    pub(crate) rope: Option<&'a [f32]>,
    pub(crate) rows: TrainRows<'a>,
}

/// What a head is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    Query,
    Key,
    Value,
}

impl Head {
    /// The kind of the head at this index.
    pub(crate) fn of(params: &Params, idx: usize) -> Self {
        let (h, k) = (params.heads.n_heads as usize, params.heads.n_kv_heads as usize);
        match idx {
            idx if idx < h => Self::Query,
            idx if idx < h + k => Self::Key,
            _ => Self::Value,
        }
    }

    /// The norm's weights.
    pub(crate) fn norm<T: Copy>(self, norms: Option<[T; 2]>) -> Option<T> {
        match self {
            Self::Query => norms.map(|[q, _]| q),
            Self::Key => norms.map(|[_, k]| k),
            Self::Value => None,
        }
    }
}

/// `turned [T, (H + 2K)·A]`
pub(crate) fn run(params: &Params, inputs: Inputs<'_>, turned: &mut [f32]) {
    let (width, size) = (params.heads.width(), params.heads.head_size as usize);
    for document in inputs.rows.documents() {
        for (position, t) in document.enumerate() {
            let row = inputs.qkv[t * width..][..width].chunks_exact(size);
            let out = turned[t * width..][..width].chunks_exact_mut(size);
            for (idx, (x, y)) in row.zip(out).enumerate() {
                let head = Head::of(params, idx);
                match head.norm(inputs.norms) {
                    Some(norm) => rms_norm(x, norm, params.eps, y),
                    None => y.copy_from_slice(x),
                }
                if head != Head::Value
                    && let Some(rope) = inputs.rope
                {
                    turn(params, &rope[position * size..][..size], 1.0, y);
                }
            }
        }
    }
}

/// Turns a head by angles, or back where `direction` is −1.
pub(super) fn turn(params: &Params, angles: &[f32], direction: f32, head: &mut [f32]) {
    let half = head.len() / 2;
    for i in 0..half {
        let (a, b) = if params.turn == 2 { (2 * i, 2 * i + 1) } else { (i, i + half) };
        let (c, s) = (f64::from(angles[i]), f64::from(direction * angles[half + i]));
        let (x, y) = (f64::from(head[a]), f64::from(head[b]));
        (head[a], head[b]) = ((x * c - y * s) as f32, (y * c + x * s) as f32);
    }
}
