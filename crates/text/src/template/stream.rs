//! What can be gone through once: Python's generators.

use std::collections::VecDeque;

use crate::template::fault::{Fault, Outcome};

/// Items that are taken from the front, and the fault that meets whoever takes more than there are.
pub(crate) struct Stream<T> {
    items: VecDeque<T>,
    /// Python computes items when they are taken; here they are there already, and so may be what went wrong.
    fault: Option<Fault>,
}

impl<T> Stream<T> {
    pub(crate) fn new(items: impl IntoIterator<Item = T>, fault: Option<Fault>) -> Self {
        Self { items: items.into_iter().collect(), fault }
    }

    /// The next item.
    pub(crate) fn next(&mut self) -> Outcome<Option<T>> {
        match (self.items.pop_front(), &self.fault) {
            (None, Some(_)) => self.fault.take().map_or(Ok(None), Err),
            (item, _) => Ok(item),
        }
    }

    /// All items that are left.
    pub(crate) fn rest(&mut self) -> Outcome<Vec<T>> {
        let items = self.items.drain(..).collect();
        self.fault.take().map_or(Ok(items), Err)
    }

    /// What has not been taken.
    pub(crate) fn items(&self) -> impl ExactSizeIterator<Item = &T> {
        self.items.iter()
    }
}
