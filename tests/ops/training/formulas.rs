//! Forward passes in f64, as their definitions say.

use hala_plan::ops::training::turn_heads::Heads;

use super::documents;

/// `weight · (x − m) / √(mean((x − m)²) + ε)`, row by row.
pub(super) fn norm(x: &[f64], weight: &[f64], eps: f64, is_layer: bool) -> Vec<f64> {
    let row = |x: &[f64]| -> Vec<f64> {
        let n = x.len() as f64;
        let mean = if is_layer { x.iter().sum::<f64>() / n } else { 0.0 };
        let square = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        x.iter().zip(weight).map(|(x, w)| w * (x - mean) / (square + eps).sqrt()).collect()
    };
    x.chunks(weight.len()).flat_map(row).collect()
}

/// `x · Wᵀ`
pub(super) fn product(x: &[f64], w: &[f64], n_in: usize) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    x.chunks(n_in).flat_map(|x| w.chunks(n_in).map(move |w| dot(x, w))).collect()
}

/// The gated convolution of `projected [T, 3D]`.
pub(super) fn convolve(projected: &[f64], taps: &[f64], bias: &[f64], n_taps: usize) -> Vec<f64> {
    let width = taps.len() / n_taps;
    let mut y = vec![0.0; projected.len() / 3];
    let at = |t: usize, part: usize, d: usize| projected[(3 * t + part) * width + d];
    for document in documents() {
        for t in document.clone() {
            for d in 0..width {
                let mut sum = bias.get(d).copied().unwrap_or(0.0);
                for back in 0..n_taps.min(t - document.start + 1) {
                    let u = at(t - back, 0, d) * at(t - back, 2, d);
                    sum += taps[d * n_taps + n_taps - 1 - back] * u;
                }
                y[t * width + d] = at(t, 1, d) * sum;
            }
        }
    }
    y
}

/// Angles of positions: cosines, then sines.
pub(super) fn rope(n_positions: usize, head_size: usize) -> Vec<f32> {
    let angle = |p: usize, i: usize| p as f32 * 0.7f32.powi(i as i32);
    let row = |p: usize| {
        let half = 0..head_size / 2;
        half.clone().map(move |i| angle(p, i).cos()).chain(half.map(move |i| angle(p, i).sin()))
    };
    (0..n_positions).flat_map(row).collect()
}

/// How heads are turned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turning<'a> {
    pub(super) heads: Heads,
    pub(super) eps: f64,
    pub(super) rope: &'a [f32],
    /// Pairs beside each other, not half a head apart.
    pub(super) neighbours: bool,
}

/// `qkv [T, (H + 2K)·A]`, with norms of queries and of keys.
pub(super) fn turn(turning: &Turning<'_>, qkv: &[f64], norms: Option<[&[f64]; 2]>) -> Vec<f64> {
    let Heads { n_heads, n_kv_heads, head_size } = turning.heads;
    let (size, width) = (head_size as usize, turning.heads.width());
    let mut turned = qkv.to_vec();
    for document in documents() {
        for (position, t) in document.enumerate() {
            for idx in 0..(n_heads + n_kv_heads) as usize {
                let head = &mut turned[t * width + idx * size..][..size];
                if let Some([q, k]) = norms {
                    let weight = if idx < n_heads as usize { q } else { k };
                    head.copy_from_slice(&norm(head, weight, turning.eps, false));
                }
                let angles = &turning.rope[position * size..][..size];
                for i in 0..size / 2 {
                    let (a, b) = if turning.neighbours { (2 * i, 2 * i + 1) } else { (i, i + size / 2) };
                    let (c, s) = (f64::from(angles[i]), f64::from(angles[i + size / 2]));
                    (head[a], head[b]) = (head[a] * c - head[b] * s, head[b] * c + head[a] * s);
                }
            }
        }
    }
    turned
}

/// Attention over `turned [T, (H + 2K)·A]`: `y [T, H·A]`, and the logarithms of the sums `[T, H]`.
pub(super) fn attend(heads: Heads, scale: f64, turned: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let Heads { n_heads, n_kv_heads, head_size } = heads;
    let (size, width) = (head_size as usize, heads.width());
    let head = |t: usize, idx: u32| &turned[t * width + idx as usize * size..][..size];
    let (mut y, mut log_sums) = (Vec::new(), Vec::new());
    for document in documents() {
        for t in document.clone() {
            for h in 0..n_heads {
                let key = n_heads + h / (n_heads / n_kv_heads);
                let score =
                    |s: usize| head(t, h).iter().zip(head(s, key)).map(|(q, k)| q * k).sum::<f64>() * scale;
                let sum: f64 = (document.start..=t).map(|s| score(s).exp()).sum();
                let value = |a: usize| -> f64 {
                    let part = |s: usize| score(s).exp() / sum * head(s, key + n_kv_heads)[a];
                    (document.start..=t).map(part).sum()
                };
                y.extend((0..size).map(value));
                log_sums.push(sum.ln());
            }
        }
    }
    (y, log_sums)
}

/// The loss of a row of logits.
pub(super) fn cross_entropy(logits: &[f64], label: usize, smoothing: f64) -> f64 {
    let sum: f64 = logits.iter().map(|z| z.exp()).sum();
    let log_p = |z: f64| z - sum.ln();
    let mean = logits.iter().map(|z| log_p(*z)).sum::<f64>() / logits.len() as f64;
    -(1.0 - smoothing) * log_p(logits[label]) - smoothing * mean
}
