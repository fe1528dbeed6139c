//! What went wrong at the border: a status with its words.

use std::any::Any;
use std::fmt::Display;

use hala::Error;

use crate::status::Status;

/// Why a call failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) message: String,
    /// Bytes that were refused, where memory was.
    pub(crate) n_bytes: usize,
}

impl Failure {
    /// A failure with its words.
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), n_bytes: 0 }
    }

    /// A panic, with its words.
    pub(crate) fn panic(panic: &(dyn Any + Send)) -> Self {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no words");
        Self::new(Status::Internal, format!("a fault of Hala, please report it: {said}"))
    }

    /// A pointer that must point to something.
    pub(crate) fn null(what: &'static str) -> Self {
        Self::new(Status::InvalidArgument, format!("{what} is NULL: it must point to something"))
    }

    /// A value that means nothing.
    pub(crate) fn argument(what: &'static str, reason: impl Display) -> Self {
        Self::new(Status::InvalidArgument, format!("{what}: {reason}"))
    }

    /// Bytes that are no text.
    pub(crate) fn utf8(what: &'static str, at: usize) -> Self {
        Self::new(Status::InvalidUtf8, format!("{what} is no UTF-8: the fault is at byte {at}"))
    }

    /// Work that was stopped by whoever asked for it.
    pub(crate) fn aborted() -> Self {
        Self::new(Status::Aborted, "it was stopped on request")
    }

    /// Something that this library was built without.
    #[cfg(not(all(feature = "hub", feature = "built-in")))]
    pub(crate) fn left_out(feature: &'static str) -> Self {
        let message =
            format!("this library was built without `{feature}`: use one with it, see hala_features()");
        Self::new(Status::NotInBuild, message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let n_bytes = error.bytes().unwrap_or(0);
        Self { status: Status::of(&error), message: error.to_string(), n_bytes }
    }
}
