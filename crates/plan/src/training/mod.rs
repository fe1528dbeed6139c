//! Plans of training: a forward pass that a model has recorded, its losses, and its backward pass written out.
//!
//! [`differentiate`] makes a [`TrainPlan`] of the Plan that a model records for inference, so a family's forward pass exists once. A run takes
//! [`TrainRows`], documents end to end, and adds to the gradients of all parameters. Nothing here is part of a browser's module.

mod backward;
mod differentiate;
mod forward;
mod gradients;
mod plan;
mod record;
mod rows;
mod step;

pub use differentiate::{Activations, TrainOptions, differentiate};
pub use plan::TrainPlan;
pub use record::TrainRecorder;
pub use rows::{IGNORE, Limits, Purpose, TrainRows};
pub use step::TrainStep;
