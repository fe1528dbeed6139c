//! What a run measures: a line of JSON for each step and each evaluation, which outlives the run.

mod line;
mod log;

pub use line::{Evaluated, Line, Stepped};
pub use log::{Log, read};
