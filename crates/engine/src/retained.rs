//! What names a sequence that stays in a scheduler's memory between the texts that go on with it.

use std::sync::{Arc, Weak};

/// Keeps a sequence in the memory of a [`Scheduler`](crate::Scheduler) between the texts that go on with it, as the turns of a conversation do.
///
/// A [`Generation`](crate::Generation) carries it, see [`Generation::retaining`](crate::Generation::retaining). When that has ended, or was
/// cancelled, what was computed stays, and the next one that carries it computes only the tokens that differ. Where memory runs out the scheduler lets
/// go of the sequence that was unused longest, and the next text computes all of its tokens: what comes of it is the same.
///
/// Clones name the same sequence. Once the last of them is dropped, the scheduler gives the memory back at its next step, or as it is trimmed. Of two
/// texts at once that carry one, the second begins without it, and that which ends last is kept.
#[derive(Debug, Clone, Default)]
pub struct Retained(Arc<()>);

impl Retained {
    /// Names a sequence that has no tokens yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for a scheduler, which does not count among those who hold it.
    pub(crate) fn claim(&self) -> Claim {
        Claim(Arc::downgrade(&self.0))
    }
}

impl PartialEq for Retained {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Retained {}

/// A [`Retained`] as a scheduler knows it.
#[derive(Debug, Clone)]
pub(crate) struct Claim(Weak<()>);

impl Claim {
    /// Whether anybody may still come with it.
    pub(crate) fn is_held(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl PartialEq for Claim {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}
