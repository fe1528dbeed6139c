//! What Kotlin calls: the native methods of `org.hala.Native`, over the same handles, streams and failures as the C interface.
//!
//! Text crosses as UTF-8 in `byte[]`, as JNI's own encoding of strings breaks what is beyond 16 bits; requests and answers as JSON. Nothing here calls
//! back: whatever takes long is a stream or a task, whose next piece a thread of Kotlin's waits for, so that no reference to an object is held
//! between two calls, and a slow reader slows nothing but itself. What fails throws `org.hala.HalaException`.

mod asked;
pub mod border;
pub mod engine;
pub mod log;
pub mod session;
pub mod stream;
mod task;
pub mod tasks;
mod values;
