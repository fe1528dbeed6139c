//! Runs of training from their settings to a model: tiny ones, in plain loops, that end in seconds.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod gates;
mod resumed;
mod setting;
mod whole;
