//! Checkpoints compressed, and read again.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod files;
mod folder;
mod gptq;
mod refusals;
mod rounding;
mod smooth;
