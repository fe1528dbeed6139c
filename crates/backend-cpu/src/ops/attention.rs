//! Causal attention over the cache, one query head at a time, scores and sums in f64.

use hala_plan::ops::attention::Params;
use hala_plan::{PAGE, Span};

use super::Cell;
use crate::page::Page;
use crate::places::page;

/// What the op reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a, C> {
    /// `[T, H·A]`
    pub(crate) q: &'a [f32],
    /// Pages `[K, PAGE, A]`
    pub(crate) keys: &'a [Page<C>],
    /// Pages `[K, PAGE, A]`
    pub(crate) values: &'a [Page<C>],
    /// Whose rows they are.
    pub(crate) spans: &'a [Span<'a>],
}

/// `y [T, H·A]`
pub(crate) fn run<C: Cell>(params: &Params, inputs: Inputs<'_, C>, y: &mut [f32]) {
    let [n_heads, head_size] = [params.n_heads, params.head_size].map(|n| n as usize);
    let width = n_heads * head_size;
    let mut rows = inputs.q.chunks_exact(width).zip(y.chunks_exact_mut(width));
    for span in inputs.spans {
        for (position, (q, y)) in (span.position..span.end()).zip(&mut rows) {
            for (h, (q, y)) in q.chunks_exact(head_size).zip(y.chunks_exact_mut(head_size)).enumerate() {
                attend(params, &inputs, Query { span, position, h, q }, y);
            }
        }
    }
}

/// One query head of one row.
#[derive(Debug, Clone, Copy)]
struct Query<'a> {
    span: &'a Span<'a>,
    position: usize,
    h: usize,
    /// `[A]`
    q: &'a [f32],
}

/// `y [A]`
fn attend<C: Cell>(params: &Params, inputs: &Inputs<'_, C>, query: Query<'_>, y: &mut [f32]) {
    let Query { span, position, h, q } = query;
    let head_size = q.len();
    let group = h / (params.n_heads / params.n_kv_heads) as usize;
    let seen = params.first_seen(position)..position + 1;
    let place = |s: usize| (page(span, params.table, s), (group * PAGE + s % PAGE) * head_size);
    let dot = |k: &[C]| k.iter().zip(q).map(|(k, q)| f64::from(k.value()) * f64::from(*q)).sum::<f64>();
    let (scale, cap) = (f64::from(params.scale), f64::from(params.softcap));
    let capped = |score: f64| if cap > 0.0 { cap * (score / cap).tanh() } else { score };
    let score = |s: usize| {
        let (page, start) = place(s);
        capped(dot(&inputs.keys[page].cells()[start..][..head_size]) * scale)
    };
    let scores: Vec<f64> = seen.clone().map(score).collect();
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = scores.iter().map(|s| (s - max).exp()).collect();
    let total: f64 = weights.iter().sum();
    let mut sums = vec![0.0; head_size];
    for (s, weight) in seen.zip(&weights) {
        let (page, start) = place(s);
        let values = inputs.values[page].cells()[start..].iter();
        sums.iter_mut().zip(values).for_each(|(sum, v)| *sum += f64::from(v.value()) * weight);
    }
    y.iter_mut().zip(sums).for_each(|(y, sum)| *y = (sum / total) as f32);
}
