//! Training on the host: Plans that compute losses and gradients, and the optimizer's work on flat buffers.
//!
//! [`CpuBackend::plain`](crate::CpuBackend::plain) sums in f64 and is the truth; threads of the fast loops share rows and never sums, so results have the
//! same bits with any number of them.

mod memory;
mod run;
mod steps;

pub use memory::Parameter;
pub use run::{Products, Training};
