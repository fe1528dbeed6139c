//! The border: every call comes in here, and neither a panic nor a callback's call gets further.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::failure::Failure;
use crate::last_error;
use crate::status::Status;

thread_local! {
    /// How many callbacks this thread is in.
    static CALLBACKS: Cell<usize> = const { Cell::new(0) };
}

/// Does the work of a call that must not be made inside of a callback.
pub(crate) fn entry(work: impl FnOnce() -> Result<(), Failure>) -> Status {
    if CALLBACKS.try_with(|n| n.get() > 0).unwrap_or(false) {
        let message = "called inside of a callback, where only hala_cancel_*, hala_stream_cancel, *_release and hala_*_free may be: \
                       return from the callback first";
        last_error::keep(Some(Failure::new(Status::Reentered, message)));
        return Status::Reentered;
    }
    anywhere(work)
}

/// Does the work of a call that may be made inside of a callback too.
pub(crate) fn anywhere(work: impl FnOnce() -> Result<(), Failure>) -> Status {
    let done = caught(work);
    let status = done.as_ref().map_or_else(|failure| failure.status, |()| Status::Ok);
    last_error::keep(done.err());
    status
}

/// Does work whose panic becomes a failure.
///
/// # Errors
/// Those of the work, and its panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(Failure::panic(panic.as_ref())))
}

/// Calls a callback, whose thread is inside of it meanwhile.
pub(crate) fn inside<T>(callback: impl FnOnce() -> T) -> T {
    struct Out;
    impl Drop for Out {
        fn drop(&mut self) {
            let _ = CALLBACKS.try_with(|n| n.set(n.get() - 1));
        }
    }
    let _ = CALLBACKS.try_with(|n| n.set(n.get() + 1));
    let _out = Out;
    callback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_status_with_its_words() {
        let status = entry(|| panic!("the {} of it", "end"));
        assert_eq!(status, Status::Internal);
        // SAFETY: the message is this thread's.
        let said = unsafe { last_error::message().read("message") }.unwrap();
        assert!(said.contains("the end of it"), "{said}");
    }

    #[test]
    fn inside_of_a_callback_only_what_may_be_called_is() {
        let (entered, anywhere) = inside(|| (entry(|| Ok(())), anywhere(|| Ok(()))));
        assert_eq!((entered, anywhere), (Status::Reentered, Status::Ok));
        assert_eq!(entry(|| Ok(())), Status::Ok);
    }
}
