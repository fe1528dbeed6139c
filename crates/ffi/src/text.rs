//! Text and lists on their way through the interface.

use std::ffi::{CStr, c_char};

use crate::failure::Failure;
use crate::list;

/// A length that means: up to the first zero byte.
pub const HALA_STRLEN: usize = usize::MAX;

/// UTF-8 text that somebody else holds. NULL with a length of 0 is an empty text, which in options means the default. What the library gives has a zero
/// byte behind it, which `len` does not count.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// The bytes; no zero byte need follow them.
    pub data: *const c_char,
    /// How many, or HALA_STRLEN.
    pub len: usize,
}

impl Text {
    /// A constant.
    pub(crate) const fn constant(text: &'static CStr) -> Self {
        Self { data: text.as_ptr(), len: text.count_bytes() }
    }

    /// The text.
    ///
    /// # Errors
    /// NULL with a length, a length that no memory has, or bytes that are no UTF-8.
    ///
    /// # Safety
    /// `data` points to `len` bytes, or up to a zero byte, that stay as they are for `'a`.
    pub(crate) unsafe fn read<'a>(self, what: &'static str) -> Result<&'a str, Failure> {
        if self.data.is_null() {
            let is_empty = self.len == 0 || self.len == HALA_STRLEN;
            return if is_empty { Ok("") } else { Err(Failure::null(what)) };
        }
        let bytes = if self.len == HALA_STRLEN {
            // SAFETY: the caller says that a zero byte ends it.
            unsafe { CStr::from_ptr(self.data) }.to_bytes()
        } else {
            // SAFETY: the caller says that there are so many bytes.
            unsafe { list::read(self.data.cast(), self.len, what) }?
        };
        std::str::from_utf8(bytes).map_err(|error| Failure::utf8(what, error.valid_up_to()))
    }

    /// The text, or `None` where it is empty.
    ///
    /// # Errors
    /// As for [`Text::read`].
    ///
    /// # Safety
    /// As for [`Text::read`].
    pub(crate) unsafe fn read_given<'a>(self, what: &'static str) -> Result<Option<&'a str>, Failure> {
        // SAFETY: as the caller says.
        Ok(Some(unsafe { self.read(what) }?).filter(|text| !text.is_empty()))
    }
}

/// A text with a zero byte behind it, as the library gives it.
#[derive(Debug, Clone)]
pub(crate) struct Terminated(String);

impl Terminated {
    /// The text.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        text.push('\0');
        Self(text)
    }

    /// The same for a caller, as long as this is there.
    pub(crate) fn lend(&self) -> Text {
        Text { data: self.0.as_ptr().cast(), len: self.0.len() - 1 }
    }

    /// The text without the zero byte.
    pub(crate) fn as_str(&self) -> &str {
        &self.0[..self.0.len() - 1]
    }
}
