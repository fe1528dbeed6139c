//! What training will take, told before anything is allocated.

use hala_weights::Checkpoint;

use crate::error::TrainError;
use crate::learn::opened::Opened;
use crate::learn::options::LearnerOptions;

/// Bytes that a [`Learner`](crate::learn::Learner) takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Elements of all parameters.
    pub n_parameters: usize,
    /// Of parameters, gradients and both moments, f32 each.
    pub state_bytes: usize,
    /// Of activations, their gradients, and the logits of a chunk.
    pub activation_bytes: usize,
}

impl Estimate {
    /// Reads a checkpoint's config and shapes, no values.
    ///
    /// # Errors
    /// A model that cannot be opened or trained, or options that do not fit it.
    pub fn of(checkpoint: &Checkpoint, options: &LearnerOptions) -> Result<Self, TrainError> {
        Ok(Self::of_opened(&Opened::open(checkpoint, options)?))
    }

    pub(super) fn of_opened(opened: &Opened) -> Self {
        let n_parameters = opened.plan.params().map(|(_, buffer)| buffer.shape.n_elements()).sum();
        let activation_bytes = opened.plan.slots().iter().sum();
        Self { n_parameters, state_bytes: 16 * n_parameters, activation_bytes }
    }

    /// All bytes.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        self.state_bytes + self.activation_bytes
    }
}
