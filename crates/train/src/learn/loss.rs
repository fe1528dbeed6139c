//! What a batch's loss is.

use std::ops::AddAssign;

/// The loss of one or several batches.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Loss {
    /// Σ weight · loss over rows with a label, in nats.
    pub sum: f64,
    /// Σ weight.
    pub weight: f64,
    /// Rows with a label.
    pub n_labels: usize,
}

impl Loss {
    /// The mean loss, weighted; `NaN` where there is no label.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum / self.weight
    }
}

impl AddAssign for Loss {
    fn add_assign(&mut self, other: Self) {
        self.sum += other.sum;
        self.weight += other.weight;
        self.n_labels += other.n_labels;
    }
}
