//! What a rule finds.

/// Something that is not as the house style wants it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    pub(super) path: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// What is wrong, and what to do.
    pub(super) what: String,
}

impl Violation {
    pub(super) fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Violation { path: path.to_owned(), line, what: what.into() }
    }
}
