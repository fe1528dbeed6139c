//! The status of a call.

use std::ffi::CStr;

use hala::Error;

/// How a call ended. The first ones are about the call itself; those from 16 on have the words of `hala_status_name` in common with all of Hala's
/// interfaces.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It did what was asked.
    Ok = 0,
    /// A pointer is NULL that must not be, or a value means nothing.
    InvalidArgument = 1,
    /// A handle that was released, that never was, or of another kind.
    InvalidHandle = 2,
    /// Text that is no UTF-8.
    InvalidUtf8 = 3,
    /// A struct whose struct_size is none of its sizes.
    InvalidStructSize = 4,
    /// Called inside of a callback, where only few functions may be.
    Reentered = 5,
    /// The handle is in use by another thread: one at a time.
    Busy = 6,
    /// This library was built without what the call needs.
    NotInBuild = 7,
    /// A fault of Hala itself.
    Internal = 8,
    /// Asked for wrongly: an option, a message, an empty prompt, a name that is no model.
    InvalidRequest = 16,
    /// A text was to be translated into the language that it is in.
    SameLanguage = 17,
    /// The prompt leaves no room in the context.
    ContextLengthExceeded = 18,
    /// Stopped by whoever asked for it.
    Aborted = 19,
    /// A file of the model is not there.
    MissingFile = 20,
    /// A file of the model is not what it must be.
    DamagedModel = 21,
    /// The model needs what Hala does not do.
    UnsupportedModel = 22,
    /// The checkpoint has no tokenizer, so that text can neither go in nor come out.
    NoTokenizer = 23,
    /// The model computed values that are no numbers.
    NotFinite = 24,
    /// A file cannot be read or written.
    Reader = 25,
    /// The server cannot be reached, or the connection broke.
    Network = 26,
    /// The server answered with an error of its own.
    Http = 27,
    /// The server has no such model, revision or file.
    NotFound = 28,
    /// The model is not open to this user.
    Unauthorized = 29,
    /// A file that came is not what it should be.
    CorruptDownload = 30,
    /// Memory was refused; hala_last_error_bytes() says how much.
    OutOfMemory = 31,
    /// The device went away and could not be set up again.
    DeviceLost = 32,
    /// The device cannot be used, or refused its work.
    DeviceRefused = 33,
    /// A file is no saved session, or not as it was written.
    DamagedSequence = 34,
    /// A saved session is of another model, held in another way, or of another version of Hala.
    OtherModel = 35,
}

impl Status {
    /// All of them.
    pub(crate) const ALL: [Self; 29] = [
        Self::Ok,
        Self::InvalidArgument,
        Self::InvalidHandle,
        Self::InvalidUtf8,
        Self::InvalidStructSize,
        Self::Reentered,
        Self::Busy,
        Self::NotInBuild,
        Self::Internal,
        Self::InvalidRequest,
        Self::SameLanguage,
        Self::ContextLengthExceeded,
        Self::Aborted,
        Self::MissingFile,
        Self::DamagedModel,
        Self::UnsupportedModel,
        Self::NoTokenizer,
        Self::NotFinite,
        Self::Reader,
        Self::Network,
        Self::Http,
        Self::NotFound,
        Self::Unauthorized,
        Self::CorruptDownload,
        Self::OutOfMemory,
        Self::DeviceLost,
        Self::DeviceRefused,
        Self::DamagedSequence,
        Self::OtherModel,
    ];

    /// The word for it.
    pub(crate) const fn name(self) -> &'static CStr {
        match self {
            Self::Ok => c"ok",
            Self::InvalidArgument => c"invalid-argument",
            Self::InvalidHandle => c"invalid-handle",
            Self::InvalidUtf8 => c"invalid-utf8",
            Self::InvalidStructSize => c"invalid-struct-size",
            Self::Reentered => c"reentered",
            Self::Busy => c"busy",
            Self::NotInBuild => c"not-in-build",
            Self::Internal => c"internal",
            Self::InvalidRequest => c"invalid-request",
            Self::SameLanguage => c"same-language",
            Self::ContextLengthExceeded => c"context-length-exceeded",
            Self::Aborted => c"aborted",
            Self::MissingFile => c"missing-file",
            Self::DamagedModel => c"damaged-model",
            Self::UnsupportedModel => c"unsupported-model",
            Self::NoTokenizer => c"no-tokenizer",
            Self::NotFinite => c"not-finite",
            Self::Reader => c"reader",
            Self::Network => c"network",
            Self::Http => c"http",
            Self::NotFound => c"not-found",
            Self::Unauthorized => c"unauthorized",
            Self::CorruptDownload => c"corrupt-download",
            Self::OutOfMemory => c"out-of-memory",
            Self::DeviceLost => c"device-lost",
            Self::DeviceRefused => c"device-refused",
            Self::DamagedSequence => c"damaged-sequence",
            Self::OtherModel => c"other-model",
        }
    }

    /// The status of an error.
    pub(crate) fn of(error: &Error) -> Self {
        if matches!(error, Error::Busy) {
            return Self::Busy;
        }
        Self::ALL
            .into_iter()
            .find(|status| status.name().to_bytes() == error.code().as_bytes())
            .unwrap_or(Self::Internal)
    }
}
