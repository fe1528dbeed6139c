//! A flag that one thread raises to stop what another is doing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A shared flag; clones see the same one. Long work looks at it between steps.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    is_up: AtomicBool,
    /// One that stops this work too.
    above: Option<Cancel>,
}

impl Cancel {
    /// A flag that is down.
    pub fn new() -> Self {
        Self::default()
    }

    /// A flag of its own for one piece of work among several that this one stops: raising it leaves this one down.
    #[must_use]
    pub fn under(&self) -> Self {
        Self(Arc::new(Flag { is_up: AtomicBool::new(false), above: Some(self.clone()) }))
    }

    /// Raises the flag; what runs under it stops at its next step.
    pub fn cancel(&self) {
        self.0.is_up.store(true, Ordering::Relaxed);
    }

    /// Lowers the flag, so that it can be used for the next piece of work.
    pub fn reset(&self) {
        self.0.is_up.store(false, Ordering::Relaxed);
    }

    /// Whether the two are clones of one flag.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether the flag is up, or one that it is under.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_up.load(Ordering::Relaxed) || self.0.above.as_ref().is_some_and(Self::is_cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_stops_what_is_under_it_and_not_what_is_above() {
        let all = Cancel::new();
        let (one, other) = (all.under(), all.under());
        one.cancel();
        assert_eq!([&all, &one, &other].map(Cancel::is_cancelled), [false, true, false]);
        all.cancel();
        assert!(other.is_cancelled());
        all.reset();
        assert_eq!([&one, &other].map(Cancel::is_cancelled), [true, false]);
    }
}
