//! How a task ended.

/// Whether a task found everything in order. What was wrong has been printed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Good,
    Bad,
}
