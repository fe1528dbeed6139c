//! Checkpoints as users have them: whole, sharded, quantised, and damaged in every way.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod build;
mod config;
mod damaged;
mod int8;
mod load;
mod open;
mod reader;
mod writer;
mod zero_points;
