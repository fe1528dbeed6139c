//! The gradient of an RMS or a layer norm, sums in f64.

use hala_plan::ops::training::norm_backward::Params;

/// What the op reads: `x [T, D]`, `weight [D]`, `dy [T, D]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) weight: &'a [f32],
    pub(crate) dy: &'a [f32],
}

/// `dx [T, D]`, `dw [D]`
pub(crate) fn run(params: &Params, inputs: Inputs<'_>, dx: &mut [f32], dw: &mut [f32]) {
    let width = params.width as usize;
    let mut sums: Vec<f64> = dw.iter().copied().map(f64::from).collect();
    let rows = inputs.x.chunks_exact(width).zip(inputs.dy.chunks_exact(width));
    for ((x, dy), dx) in rows.zip(dx.chunks_exact_mut(width)) {
        let normed = Normed::of(x, params.eps, params.layer == 1);
        sums.iter_mut().enumerate().for_each(|(i, sum)| *sum += f64::from(dy[i]) * normed.x[i]);
        let g: Vec<f64> =
            dy.iter().zip(inputs.weight).map(|(dy, w)| f64::from(*dy) * f64::from(*w)).collect();
        for (dx, found) in dx.iter_mut().zip(normed.gradient(&g)) {
            let before = if params.add == 1 { f64::from(*dx) } else { 0.0 };
            *dx = (before + found) as f32;
        }
    }
    dw.iter_mut().zip(sums).for_each(|(dw, sum)| *dw = sum as f32);
}

/// A row that was normalised, without its weights.
#[derive(Debug)]
pub(super) struct Normed {
    /// x̂
    pub(super) x: Vec<f64>,
    inverse: f64,
    is_layer: bool,
}

impl Normed {
    /// The norm of `x`.
    pub(super) fn of(x: &[f32], eps: f32, is_layer: bool) -> Self {
        let width = x.len() as f64;
        let mean = if is_layer { x.iter().copied().map(f64::from).sum::<f64>() / width } else { 0.0 };
        let squares: f64 = x.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum();
        let inverse = 1.0 / (squares / width + f64::from(eps)).sqrt();
        Self { x: x.iter().map(|x| (f64::from(*x) - mean) * inverse).collect(), inverse, is_layer }
    }

    /// The gradient in `x`, where `g` is that in x̂.
    pub(super) fn gradient(&self, g: &[f64]) -> impl Iterator<Item = f64> {
        let width = g.len() as f64;
        let mean = if self.is_layer { g.iter().sum::<f64>() / width } else { 0.0 };
        let along: f64 = g.iter().zip(&self.x).map(|(g, x)| g * x).sum::<f64>() / width;
        g.iter().zip(&self.x).map(move |(g, x)| self.inverse * (g - mean - x * along))
    }
}
