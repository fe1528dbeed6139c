//! The ways of merging that are computed here.

use serde::Deserialize;

/// How tensors are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Method {
    /// Along the arc between two tensors.
    Slerp,
    /// Weighted sums.
    Linear,
}
