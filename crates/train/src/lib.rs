//! Training of the models that Hala runs: text becomes packed batches, and batches become weights.

pub mod data;
mod error;
mod fault;

pub use error::TrainError;
pub use fault::{Fault, FaultKind};
