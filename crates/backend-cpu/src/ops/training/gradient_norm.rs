//! `√(Σ g²)`, block by block, in f64.

use hala_plan::ops::training::gradient_norm::BLOCK;

/// `g [N]`
pub(crate) fn run(g: &[f32]) -> f64 {
    g.chunks(BLOCK).map(block).sum::<f64>().sqrt()
}

/// The squares of a block.
pub(crate) fn block(g: &[f32]) -> f64 {
    g.iter().map(|g| f64::from(*g) * f64::from(*g)).sum()
}
