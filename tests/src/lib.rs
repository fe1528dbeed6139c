//! What Hala's own tests share: cases that run on every backend, the check, tolerances, fixtures, random data.
//!
//! A [`case::Case`] is a Plan with its weights, states and runs. [`check::all`] takes many of them, runs each on the
//! plain CPU and on every backend of [`backends::others`], and compares; a new backend gets every test by one line
//! there, and a new GPU by being in [`devices::names`].
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "this crate is only ever part of a test")]

pub mod backends;
pub mod case;
pub mod chain;
pub mod check;
pub mod counting;
pub mod devices;
pub mod fixtures;
mod pool;
pub mod random;
pub mod scripted;
mod session;
pub mod shared;
pub mod tolerances;
pub mod typescript;
