//! A sequence in a file: what is in it, what it must be of, and what can be wrong with it.
//!
//! The file is a safetensors file: `ids`, the pages and slots of each state that the sequence holds, in the element type of the cache, and a checksum of
//! all before it; `__metadata__` tells the version, the model, and which page and slot is for what.

pub(crate) mod error;
pub(crate) mod head;
pub(crate) mod layout;
