//! Which loops compute the steps: the plain ones, or the fast ones on the machine's threads.

use crate::simd::{Machine, Scratch};

/// The loops of a backend.
#[derive(Debug)]
pub(crate) enum Loops {
    /// Sums in f64, one row after the other.
    #[cfg_attr(
        all(target_family = "wasm", target_os = "unknown"),
        expect(dead_code, reason = "a browser has none")
    )]
    Plain(Plain),
    /// On the machine's threads.
    Fast(Machine),
}

/// The loops of one run, with what they need.
#[derive(Debug)]
pub(crate) enum Running<'a> {
    /// Sums in f64, one row after the other.
    Plain(Plain),
    /// On the machine's threads, with room for what they put aside.
    Fast(&'a Machine, &'a mut Scratch),
}

/// That this build has the plain loops.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain;

/// A browser compares nothing with the plain loops, and there is no such value: its module is built without them.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
#[derive(Debug, Clone, Copy)]
pub(crate) enum Plain {}

impl Loops {
    /// The threads and instructions of the fast ones.
    pub(crate) fn machine(&self) -> Option<&Machine> {
        match self {
            Self::Plain(_) => None,
            Self::Fast(machine) => Some(machine),
        }
    }

    /// The same for one run.
    pub(crate) fn running<'a>(&'a self, scratch: &'a mut Scratch) -> Running<'a> {
        match self {
            Self::Plain(plain) => Running::Plain(*plain),
            Self::Fast(machine) => Running::Fast(machine, scratch),
        }
    }
}
