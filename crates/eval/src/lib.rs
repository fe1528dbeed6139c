//! How good a model is: perplexity on a text, chrF++ of translations, and how near one model's next-token distributions are to another's.

mod chrf;
mod compare;
mod error;
mod fidelity;

pub use chrf::Chrf;
pub use compare::{Progress, compare, windows};
pub use error::EvalError;
pub use fidelity::Fidelity;
