//! A model that learns: gradients are accumulated over batches, and an update divides, clips and applies them.
//!
//! A [`Learner`] is what a loop of training calls. It holds f32 masters of all weights in one flat buffer, with gradients and moments of the same layout;
//! a checkpoint is read once and never written here.

mod estimate;
mod learner;
mod loss;
mod opened;
mod options;
mod update;

pub use estimate::Estimate;
pub use learner::{Learner, Parameter};
pub use loss::Loss;
pub use options::{Compute, LearnerOptions, Products};
pub use update::{Update, Updated};
