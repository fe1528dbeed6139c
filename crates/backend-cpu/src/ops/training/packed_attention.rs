//! Causal attention inside each document, one query head at a time, scores and sums in f64.

use hala_plan::ops::training::packed_attention::Params;
use hala_plan::training::TrainRows;

/// `turned [T, (H + 2K)·A]` in; `y [T, H·A]` and `log_sums [T, H]` out
pub(crate) fn run(params: &Params, rows: TrainRows<'_>, turned: &[f32], y: &mut [f32], log_sums: &mut [f32]) {
    let heads = Heads { params, turned };
    let (n_heads, size) = (params.heads.n_heads as usize, params.heads.head_size as usize);
    for document in rows.documents() {
        for t in document.clone() {
            for h in 0..n_heads {
                let seen = document.start..t + 1;
                let scores: Vec<f64> = seen.clone().map(|s| heads.score(t, h, s)).collect();
                let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let log_sum = max + scores.iter().map(|z| (z - max).exp()).sum::<f64>().ln();
                let mut sums = vec![0.0f64; size];
                for (s, z) in seen.zip(scores) {
                    let p = (z - log_sum).exp();
                    let v = heads.value(h, s);
                    sums.iter_mut().zip(v).for_each(|(sum, v)| *sum += p * f64::from(*v));
                }
                let y = &mut y[(t * n_heads + h) * size..][..size];
                y.iter_mut().zip(sums).for_each(|(y, sum)| *y = sum as f32);
                log_sums[t * n_heads + h] = log_sum as f32;
            }
        }
    }
}

/// The heads of all rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heads<'a> {
    pub(super) params: &'a Params,
    /// `[T, (H + 2K)·A]`
    pub(super) turned: &'a [f32],
}

impl<'a> Heads<'a> {
    /// Where the head at `idx` of row `t` begins.
    pub(super) fn start(&self, t: usize, idx: usize) -> usize {
        t * self.params.heads.width() + idx * self.params.heads.head_size as usize
    }

    fn head(&self, t: usize, idx: usize) -> &'a [f32] {
        &self.turned[self.start(t, idx)..][..self.params.heads.head_size as usize]
    }

    /// The index of the key head of query head `h`; that of its value head is K further.
    pub(super) fn key_idx(&self, h: usize) -> usize {
        let (n, k) = (self.params.heads.n_heads as usize, self.params.heads.n_kv_heads as usize);
        n + h / (n / k)
    }

    pub(super) fn query(&self, t: usize, h: usize) -> &'a [f32] {
        self.head(t, h)
    }

    pub(super) fn key(&self, h: usize, s: usize) -> &'a [f32] {
        self.head(s, self.key_idx(h))
    }

    pub(super) fn value(&self, h: usize, s: usize) -> &'a [f32] {
        self.head(s, self.key_idx(h) + self.params.heads.n_kv_heads as usize)
    }

    /// `z[s]` of query head `h` of row `t`.
    pub(super) fn score(&self, t: usize, h: usize, s: usize) -> f64 {
        super::super::dot(self.query(t, h), self.key(h, s)) * f64::from(self.params.scale)
    }
}
