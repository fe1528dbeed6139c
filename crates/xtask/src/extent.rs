//! How much of the tests is run, and how a test says that it takes long.

/// How much of the tests is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What every change must pass.
    #[default]
    Daily,
    /// What takes long too.
    Long,
}

/// How the reason of a test begins that only `--long` runs: `#[ignore = "long: …"]`.
pub(crate) const LONG: &str = "long: ";
