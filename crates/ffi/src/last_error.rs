//! The last error of each thread, and statuses in words.

use std::cell::RefCell;

use crate::failure::Failure;
use crate::status::Status;
use crate::text::{Terminated, Text};

thread_local! {
    /// The words, and the bytes that were refused.
    static LAST: RefCell<Option<(Terminated, usize)>> = const { RefCell::new(None) };
}

/// Keeps the words of a failure, or forgets those of the one before.
pub(crate) fn keep(failure: Option<Failure>) {
    let kept = failure.map(|failure| (Terminated::new(failure.message), failure.n_bytes));
    // A thread that ends has no place for it any more.
    let _ = LAST.try_with(|last| *last.borrow_mut() = kept);
}

/// The words.
pub(crate) fn message() -> Text {
    let lent = LAST.try_with(|last| last.borrow().as_ref().map(|(words, _)| words.lend()));
    lent.ok().flatten().unwrap_or(Text::constant(c""))
}

/// Bytes that were refused.
pub(crate) fn n_bytes() -> usize {
    LAST.try_with(|last| last.borrow().as_ref().map_or(0, |(_, n_bytes)| *n_bytes)).unwrap_or(0)
}

/// The word for a status, as `invalid-request`; `unknown` for a number that is none. It is the same in all of Hala's interfaces and never changes.
#[unsafe(no_mangle)]
pub extern "C" fn hala_status_name(status: i32) -> Text {
    let found = Status::ALL.into_iter().find(|known| *known as i32 == status);
    Text::constant(found.map_or(c"unknown", Status::name))
}

/// What the last call of this thread that failed had to say: what was found, what was expected, and what to do next. Empty where none failed. It
/// stays until this thread calls a function that returns a status.
#[unsafe(no_mangle)]
pub extern "C" fn hala_last_error() -> Text {
    message()
}

/// Bytes of memory that were refused, where the last call of this thread failed with HALA_STATUS_OUT_OF_MEMORY; else 0.
#[unsafe(no_mangle)]
pub extern "C" fn hala_last_error_bytes() -> usize {
    n_bytes()
}
