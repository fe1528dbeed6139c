//! What the worker is answered, as JSON.

use serde::Serialize;

/// A value as JSON. (Values that are answered have no keys or numbers that JSON cannot hold.)
pub(crate) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
