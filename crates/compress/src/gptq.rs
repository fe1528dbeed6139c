//! GPTQ: codes column by column, each column's error made up for by those to its right, as far as their inputs go together.
//!
//! Source: Frantar et al., arXiv 2210.17323, with the Cholesky form of its section 3.3. Of the inputs `x [T, C]` of a matrix it needs
//! `H = xᵀx [C, C]` alone.

use crate::codes::{magnitudes, scale, whole};
use crate::float::{Float, Single};
use crate::scheme::Scheme;

/// What is added to H's diagonal, as a share of its mean: the paper's 1 %.
const DAMPING: f64 = 0.01;

/// Rows that go through the columns together, so that a row of the factor is read once for all of them.
const N_ROWS: usize = 16;

/// The upper factor `U` of `H⁻¹ = UᵀU`, and the columns whose inputs were always 0.
#[derive(Debug)]
pub(crate) struct Factor {
    n: usize,
    upper: Vec<f32>,
    is_dead: Vec<bool>,
}

impl Factor {
    /// Factors `H [n, n]`, of which the upper half is read. `None` where it holds numbers that are not finite.
    pub(crate) fn new(mut h: Vec<f32>, n: usize) -> Option<Self> {
        let diagonal: Vec<f32> = (0..n).map(|i| h[i * n + i]).collect();
        let is_dead: Vec<bool> = diagonal.iter().map(|x| *x == 0.0).collect();
        let mean = diagonal.iter().map(|x| f64::from(*x)).sum::<f64>() / n.max(1) as f64;
        // Where no input was seen at all, columns are by themselves.
        let damping = if mean > 0.0 { (DAMPING * mean) as f32 } else { 1.0 };
        for (i, x) in diagonal.iter().enumerate() {
            h[i * n + i] = if *x == 0.0 { mean as f32 } else { *x } + damping;
        }
        factor(&mut h, n)?;
        invert(&mut h, n);
        Some(Self { n, upper: h, is_dead })
    }

    /// Codes and scales of some rows `w [R, C]`, appended to `codes` and `scales` as numbers; `w` is used up.
    pub(crate) fn quantise<F: Float>(
        &self,
        w: &mut [f32],
        scheme: Scheme,
        codes: &mut Vec<i32>,
        scales: &mut Vec<f32>,
    ) {
        for w in w.chunks_mut(N_ROWS * self.n) {
            self.quantise_some::<F>(w, scheme, codes, scales);
        }
    }

    fn quantise_some<F: Float>(
        &self,
        w: &mut [f32],
        scheme: Scheme,
        codes: &mut Vec<i32>,
        scales: &mut Vec<f32>,
    ) {
        let (n, code) = (self.n, scheme.code());
        let width = scheme.block()[1].unwrap_or(usize::MAX).min(n);
        let n_blocks = n.div_ceil(width);
        let (first_code, first_scale) = (codes.len(), scales.len());
        codes.resize(first_code + w.len(), 0);
        scales.resize(first_scale + w.len() / n * n_blocks, 0.0);
        for column in 0..n {
            let block = column / width;
            let (d, right) = (self.upper[column * n + column], &self.upper[column * n..][..n][column + 1..]);
            for (r, row) in w.chunks_exact_mut(n).enumerate() {
                let scale_of = &mut scales[first_scale + r * n_blocks + block];
                if column % width == 0 {
                    // Of the columns as they are by now.
                    let x = &row[column..n.min(column + width)];
                    let mut magnitude = [0.0];
                    magnitudes(x, x.len(), x.len(), &mut magnitude);
                    *scale_of = scale::<F>(magnitude[0], code);
                }
                let x = if self.is_dead[column] { 0.0 } else { row[column] };
                // In f32: only the scale is stored in the weight's type.
                let q = whole::<Single>(x, *scale_of, code.range());
                codes[first_code + r * n + column] = q;
                let error = (x - q as f32 * *scale_of) / d;
                row[column + 1..].iter_mut().zip(right).for_each(|(w, u)| *w -= error * u);
            }
        }
    }
}

/// `H = ŨŨᵀ` with Ũ upper, in place of H's upper half; the lower half is cleared. From the last row on, so that each is a few products of rows.
fn factor(h: &mut [f32], n: usize) -> Option<()> {
    for j in (0..n).rev() {
        let (above, below) = h.split_at_mut(j * n);
        let row = &mut below[..n];
        let square = row[j] - product(&row[j + 1..], &row[j + 1..]);
        if !(square.is_finite() && square > 0.0) {
            return None;
        }
        let d = square.sqrt();
        row[j] = d;
        row[..j].fill(0.0);
        for other in above.chunks_exact_mut(n) {
            other[j] = (other[j] - product(&other[j + 1..], &row[j + 1..])) / d;
        }
    }
    Some(())
}

/// The inverse of an upper matrix, in its place.
fn invert(upper: &mut [f32], n: usize) {
    let mut row = vec![0.0; n];
    for i in (0..n).rev() {
        let (above, below) = upper.split_at_mut((i + 1) * n);
        let own = &mut above[i * n..];
        let inverse = 1.0 / own[i];
        row[i..].fill(0.0);
        for (k, other) in below.chunks_exact(n).enumerate().map(|(k, other)| (i + 1 + k, other)) {
            let factor = -own[k] * inverse;
            row[k..].iter_mut().zip(&other[k..]).for_each(|(x, v)| *x += factor * v);
        }
        row[i] = inverse;
        own[i..].copy_from_slice(&row[i..]);
    }
}

/// Σ xy, in eight sums, which are vectorised.
fn product(x: &[f32], y: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (x, x_rest) = x.as_chunks::<8>();
    let (y, y_rest) = y.as_chunks::<8>();
    for (x, y) in x.iter().zip(y) {
        (0..8).for_each(|i| sums[i] += x[i] * y[i]);
    }
    sums.iter().sum::<f32>() + x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum::<f32>()
}

/// Adds `xᵀx` of some rows `x [T, C]` to the upper half of `h [C, C]`.
pub fn add_products(x: &[f32], h: &mut [f32], n_columns: usize) {
    /// Rows that are added at once, so that `h` goes through memory less often.
    const AT_ONCE: usize = 8;
    for x in x.chunks(AT_ONCE * n_columns) {
        for (i, h) in h.chunks_exact_mut(n_columns).enumerate() {
            for x in x.chunks_exact(n_columns).filter(|x| x[i] != 0.0) {
                let factor = x[i];
                h[i..].iter_mut().zip(&x[i..]).for_each(|(h, x)| *h += factor * x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 48;

    fn numbers(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..n).map(|_| next()).collect()
    }

    /// Inputs of which neighbours go together, and one column of zeros.
    fn inputs() -> Vec<f32> {
        let mut x = numbers(200 * N, 1);
        for row in x.chunks_exact_mut(N) {
            for i in 1..N {
                row[i] = 0.7 * row[i - 1] + 0.5 * row[i];
            }
            row[7] = 0.0;
        }
        x
    }

    fn hessian() -> Vec<f32> {
        let mut h = vec![0.0; N * N];
        add_products(&inputs(), &mut h, N);
        h
    }

    #[test]
    fn products_are_those_of_the_columns() {
        let (x, h) = (inputs(), hessian());
        for (i, j) in [(0, 0), (3, 20), (7, 9), (47, 47)] {
            let expected: f64 = x.chunks(N).map(|x| f64::from(x[i]) * f64::from(x[j])).sum();
            assert!((f64::from(h[i * N + j]) - expected).abs() < 1e-3, "{i}, {j}");
        }
    }

    #[test]
    fn the_factor_is_that_of_the_inverse() {
        let h = hessian();
        let factor = Factor::new(h.clone(), N).unwrap();
        let mean = (0..N).map(|i| h[i * N + i]).sum::<f32>() / N as f32;
        let damped = |i: usize, j: usize| {
            let x = h[i.min(j) * N + i.max(j)];
            let x = if i == j && x == 0.0 { mean } else { x };
            if i == j { x + 0.01 * mean } else { x }
        };
        let u = |i: usize, j: usize| f64::from(factor.upper[i * N + j]);
        // H · UᵀU is the identity.
        for (i, j) in [(0, 0), (0, 5), (5, 0), (7, 7), (20, 21), (47, 47)] {
            let inverse = |k: usize, j: usize| (0..=k.min(j)).map(|l| u(l, k) * u(l, j)).sum::<f64>();
            let x: f64 = (0..N).map(|k| f64::from(damped(i, k)) * inverse(k, j)).sum();
            assert!((x - f64::from(u8::from(i == j))).abs() < 1e-3, "{i}, {j}: {x}");
        }
    }

    #[test]
    fn outputs_are_nearer_than_by_rounding() {
        let w = numbers(20 * N, 2);
        let scheme = Scheme::Int4Weights { group: Some(16) };
        let (mut codes, mut scales) = (Vec::new(), Vec::new());
        Factor::new(hessian(), N).unwrap().quantise::<Single>(
            &mut w.clone(),
            scheme,
            &mut codes,
            &mut scales,
        );
        assert_eq!((codes.len(), scales.len()), (20 * N, 20 * N / 16));
        assert!(codes.iter().all(|code| (-8..8).contains(code)));
        assert!(codes.chunks(N).all(|codes| codes[7] == 0), "no input comes through column 7");
        let rounded = |i: usize| {
            let group = &w[i / 16 * 16..][..16];
            let scale = group.iter().fold(0.0f32, |max, x| max.max(x.abs())) / 7.5;
            (w[i] / scale).round_ties_even().clamp(-8.0, 7.0) * scale
        };
        let error = |y: &dyn Fn(usize) -> f32| {
            let x = inputs();
            let errors = (0..20).flat_map(|r| x.chunks(N).map(move |x| (r, x)));
            errors
                .map(|(r, x)| {
                    (0..N)
                        .map(|i| f64::from(x[i]) * f64::from(w[r * N + i] - y(r * N + i)))
                        .sum::<f64>()
                        .powi(2)
                })
                .sum::<f64>()
        };
        let ours = error(&|i| codes[i] as f32 * scales[i / 16]);
        let by_rounding = error(&rounded);
        assert!(ours < 0.5 * by_rounding, "{ours} against {by_rounding}");
    }

    #[test]
    fn what_is_not_finite_has_no_factor() {
        let mut h = hessian();
        h[5] = f32::NAN;
        assert!(Factor::new(h, N).is_none());
        // Inputs that were never seen leave rounding.
        assert!(Factor::new(vec![0.0; N * N], N).is_some());
    }
}
