//! How good a model is: perplexity on a text, and how near one model's next-token distributions are to another's.

mod compare;
mod error;
mod fidelity;

pub use compare::{Progress, compare, windows};
pub use error::EvalError;
pub use fidelity::Fidelity;
