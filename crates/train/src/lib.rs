//! Training of the models that Hala runs: text becomes packed batches, and batches become weights.

pub mod config;
pub mod data;
pub mod learn;
pub mod metrics;
pub mod report;
pub mod run;
pub mod schedule;
pub mod store;
pub mod tokenizer;

mod error;
mod fault;
mod run_fault;

pub use error::TrainError;
pub use fault::{Fault, FaultKind};
pub use run_fault::RunFault;
