//! The native library from outside: programs in C and C++, made by the system's compilers, against the library that cargo has built.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

#[cfg(unix)]
mod abi;
#[cfg(unix)]
mod client;
#[cfg(unix)]
mod compiler;
#[cfg(unix)]
mod examples;
#[cfg(unix)]
mod hub;
#[cfg(unix)]
mod loading;
#[cfg(unix)]
mod programs;
#[cfg(unix)]
#[allow(dead_code, reason = "tests of the Hub ask for more of it")]
#[path = "../../crates/weights/tests/hub/server.rs"]
mod server;
#[cfg(unix)]
mod watched;
