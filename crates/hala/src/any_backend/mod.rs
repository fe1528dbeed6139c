//! A backend that is chosen while the program runs.

mod backend;
mod handle;

pub use backend::AnyBackend;
pub use handle::{AnyPrepared, AnyStates, AnyWeight, Handle};
