//! Checkpoints as users have them: whole, sharded, quantised, and damaged in every way.

mod build;
mod config;
mod damaged;
mod int8;
mod load;
mod open;
mod writer;
