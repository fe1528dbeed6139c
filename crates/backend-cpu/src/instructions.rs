//! The instructions that kernels are chosen by, for those who compare them.

use std::fmt;

use crate::simd::level::Level;

/// Vector instructions of this machine that there are kernels for.
#[derive(Debug, Clone, Copy)]
pub struct Instructions(pub(crate) Level);

impl Instructions {
    /// All that this machine has, the best first; the last are plain loops.
    pub fn all() -> Vec<Self> {
        Level::all().into_iter().map(Self).collect()
    }

    /// The best that this machine has.
    pub fn best() -> Self {
        Self(Level::all()[0])
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}
