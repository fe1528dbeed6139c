//! A seed for who asks for none.

/// A seed of 53 bits, so that whoever reads it in JSON can give it again: drawn by the operating system, another each time. Where there is
/// none, as in a browser's module, it can be foreseen, and what is over this crate gives a seed of its own.
pub fn any_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    // The standard library's hash tables are keyed with random numbers of the system.
    RandomState::new().hash_one(0_u32) >> 11
}
