//! The crate that apps depend on: any backend, runtimes, requests and replies, and its examples as a newcomer runs them.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod any_backend;
mod examples;
mod gpus;
mod hub;
mod runtime;
mod saved;
#[path = "../../crates/weights/tests/hub/server.rs"]
mod server;
mod shared;
mod thinking;
mod typescript;
