//! The npm package's TypeScript types beside the Rust types that are written for them and read from them.
//!
//! [`unlike_replies`] holds JSON that Rust writes against a type, [`Request`] a type against what Rust reads. Both give what
//! differs in words that name the field and both files.

mod fields;
mod parse;
mod reply;
mod request;
mod shape;
mod token;

pub use parse::Types;
pub use reply::unlike_replies;
pub use request::Request;
pub use shape::Shape;
