//! The native library: a C interface over crate `hala`, on which C++, Python, Kotlin and Swift stand. `include/hala.h` is made of it.
//!
//! Every function comes in through `entry`, where panics end and callbacks are kept out; handles are numbers (`handles`), structs bring their size
//! (`sized`), and a caller's pointers are read in the function that has them. What the functions do is crate `hala`'s. With feature `jni` the library
//! has what Kotlin calls besides (`jni`), over the same handles, streams and failures.

mod begin;
pub mod cancel;
mod choices;
pub mod download;
pub mod engine;
mod entry;
pub mod estimate;
pub mod event;
mod failure;
mod handles;
#[cfg(feature = "jni")]
pub mod jni;
pub mod last_error;
mod list;
pub mod log;
pub mod owned;
pub mod progress;
pub mod run;
pub mod session;
mod sized;
pub mod source;
pub mod status;
pub mod stream;
pub mod text;
pub mod tokens;
pub mod version;

// Named, or it would not be linked: the standard library calls it by C's names.
#[cfg(all(feature = "unwinder", target_os = "android"))]
use unwinding as _;
