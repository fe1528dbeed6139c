//! AdamW over a range of the flat buffer of parameters, with f32 moments.
//!
//! With `g` the gradient times `scale`: `m = β₁ m + (1 − β₁) g`, `v = β₂ v + (1 − β₂) g²`,
//! `w = w · (1 − η λ) − η · (m / (1 − β₁ⁿ)) / (√(v / (1 − β₂ⁿ)) + ε)` for the n-th update. Source: Loshchilov and Hutter, arXiv 1711.05101, as torch
//! computes it. Inputs: `g [N]`. Outputs: `w [N]`, `m [N]`, `v [N]`. It is no step of a Plan: the flat buffers are the optimizer's.

/// The op's name.
pub const NAME: &str = "adamw";

/// The choices of one update, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Params {
    /// η, the learning rate.
    pub learning_rate: f32,
    /// β₁.
    pub beta1: f32,
    /// β₂.
    pub beta2: f32,
    /// ε.
    pub eps: f32,
    /// λ; 0 for parameters that do not decay.
    pub weight_decay: f32,
    /// Factor of the gradient: what it is divided by and clipped to.
    pub scale: f32,
    /// n, counted from 1.
    pub n_updates: u32,
}

impl Params {
    /// `[1 − β₁ⁿ, 1 − β₂ⁿ]`, by which the moments of the first updates are too small.
    pub fn corrections(&self) -> [f64; 2] {
        [self.beta1, self.beta2].map(|beta| 1.0 - f64::from(beta).powf(f64::from(self.n_updates)))
    }
}
