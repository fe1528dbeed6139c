//! One piece of shared work, from the side of whoever waits for it.

use std::sync::Arc;

use hala_plan::Cancel;

use super::output::Output;
use super::state::Inner;
use crate::error::Error;

/// What comes of a piece of shared work, as an iterator. Its `next` waits, and works meanwhile; an error is what ended this work, or a device
/// that is lost for good. Cancellation is no error: the stream ends, with what was generated. Dropping it ends the work.
#[derive(Debug)]
pub struct SharedStream {
    inner: Arc<Inner>,
    id: u64,
    cancel: Cancel,
}

impl SharedStream {
    pub(super) fn new(inner: Arc<Inner>, id: u64, cancel: Cancel) -> Self {
        Self { inner, id, cancel }
    }

    /// The flag that ends it, from any thread.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

impl Iterator for SharedStream {
    type Item = Result<Output, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.inner.next(self.id).transpose()
    }
}

impl Drop for SharedStream {
    fn drop(&mut self) {
        self.inner.forget(self.id);
    }
}
