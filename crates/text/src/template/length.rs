//! How long a text or list may be that a template makes.

use crate::template::fault::{Outcome, refused};

/// The longest string or list that repeating or padding makes.
const MAX_LENGTH: usize = 2_000_000;

/// A length that a template asked for, unless it is too long.
pub(crate) fn checked_length(n: i128) -> Outcome<usize> {
    match usize::try_from(n.max(0)) {
        Ok(n) if n <= MAX_LENGTH => Ok(n),
        _ => refused(format!("a text or list of {n} items; at most {MAX_LENGTH} are made")),
    }
}
