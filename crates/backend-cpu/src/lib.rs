//! The CPU backend: every op as a plain loop, and a threaded path for what is hot.
//!
//! [`CpuBackend::plain`] sums in f64 and is the truth that every other path and backend is tested against;
//! [`CpuBackend::threaded`] is what users run.

#[cfg(feature = "training")]
pub mod training;

mod backend;
mod chooser;
mod instructions;
mod loops;
mod memory;
mod ops;
mod page;
mod pages;
mod places;
mod pool;
mod processor;
mod read_speed;
mod shared;
mod simd;
mod spans;
mod states;
mod steps;
mod threads;
mod weight;

pub use backend::{CpuBackend, Pause, Prepared};
pub use instructions::Instructions;
pub use states::States;
#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
pub use threads::lend_thread;
pub use weight::Weight;
