//! One update of the optimizer.

/// The choices of one update: AdamW with decoupled decay of matrices, and gradients clipped by their norm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// η, as the schedule has it for this update.
    pub learning_rate: f32,
    /// β₁, of the first moment.
    pub beta1: f32,
    /// β₂, of the second moment.
    pub beta2: f32,
    /// ε.
    pub eps: f32,
    /// λ, of parameters that decay ([`Parameter::decays`](crate::learn::Parameter::decays)).
    pub weight_decay: f32,
    /// The norm of all gradients together is brought down to this; `None` for as it is.
    pub max_norm: Option<f32>,
}

impl Default for Update {
    /// torch's AdamW with a learning rate of 0, without decay or clipping.
    fn default() -> Self {
        let (learning_rate, weight_decay) = (0.0, 0.0);
        Self { learning_rate, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay, max_norm: None }
    }
}

/// What an update has seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Updated {
    /// The norm of the gradient of the mean loss, before it was clipped.
    pub gradient_norm: f64,
    /// Whether it was clipped.
    pub is_clipped: bool,
}

/// What torch adds to a norm before it divides by it, in `clip_grad_norm_`.
const CLIP_EPS: f64 = 1e-6;

impl Update {
    /// The factor that clips a gradient of this norm.
    pub(crate) fn clip(&self, norm: f64) -> f64 {
        self.max_norm.map_or(1.0, |max| (f64::from(max) / (norm + CLIP_EPS)).min(1.0))
    }
}
