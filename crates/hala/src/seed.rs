//! A seed for who asks for none.

/// Another number each time, where there is an operating system; in a browser's module the page's own. It has 53 bits, so that whoever reads it in
/// JSON can give it again.
pub fn any_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    // The standard library's hash tables are keyed with random numbers of the system.
    RandomState::new().hash_one(0_u32) >> 11
}
