//! What the library gives, for the caller to free.

use std::ffi::c_char;
use std::ptr;

use crate::entry::anywhere;
use crate::failure::Failure;
use crate::status::Status;

/// UTF-8 text that the caller owns: hala_string_free() frees it. A zero byte follows it, which `len` does not count.
#[repr(C)]
#[derive(Debug)]
pub struct OwnedText {
    /// The bytes; NULL where there is none.
    pub data: *mut c_char,
    /// How many.
    pub len: usize,
}

/// Token ids that the caller owns: hala_tokens_free() frees them.
#[repr(C)]
#[derive(Debug)]
pub struct Tokens {
    /// The ids; NULL where there are none.
    pub data: *mut u32,
    /// How many.
    pub len: usize,
}

impl OwnedText {
    const NONE: Self = Self { data: ptr::null_mut(), len: 0 };

    /// Gives a text away.
    pub(crate) fn new(text: String) -> Self {
        let len = text.len();
        let mut bytes = text.into_bytes();
        bytes.push(0);
        Self { data: Box::into_raw(bytes.into_boxed_slice()).cast(), len }
    }
}

impl Tokens {
    /// Gives ids away.
    pub(crate) fn new(ids: Vec<u32>) -> Self {
        if ids.is_empty() {
            return Self { data: ptr::null_mut(), len: 0 };
        }
        let len = ids.len();
        Self { data: Box::into_raw(ids.into_boxed_slice()).cast(), len }
    }
}

/// Where a text goes that a caller may not want.
pub(crate) struct Out<T>(*mut T);

impl Out<OwnedText> {
    /// The place, emptied, so that whoever frees it after an error frees nothing.
    ///
    /// # Safety
    /// `place` is NULL, or a place for a text.
    pub(crate) unsafe fn wanted(place: *mut OwnedText) -> Self {
        if !place.is_null() {
            // SAFETY: as the caller says. What was there before is not ours to free.
            unsafe { place.write(OwnedText::NONE) };
        }
        Self(place)
    }

    /// As [`Out::wanted`], where it must be given.
    ///
    /// # Errors
    /// NULL.
    ///
    /// # Safety
    /// As for [`Out::wanted`].
    pub(crate) unsafe fn required(place: *mut OwnedText, what: &'static str) -> Result<Self, Failure> {
        // SAFETY: as the caller says.
        let out = unsafe { Self::wanted(place) };
        if out.0.is_null() { Err(Failure::null(what)) } else { Ok(out) }
    }

    /// Gives a text away, where it is wanted.
    pub(crate) fn put(&self, text: impl FnOnce() -> String) {
        if !self.0.is_null() {
            // SAFETY: the place is one for a text, as whoever made this says.
            unsafe { self.0.write(OwnedText::new(text())) };
        }
    }
}

/// Frees a text, and makes it empty. NULL and an empty one are nothing.
///
/// # Safety
/// `string` is NULL, or points to a text that this library gave and that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_string_free(string: *mut OwnedText) {
    let _: Status = anywhere(|| {
        // SAFETY: as the caller says.
        let Some(string) = (unsafe { string.as_mut() }) else { return Ok(()) };
        let OwnedText { data, len } = std::mem::replace(string, OwnedText::NONE);
        if !data.is_null() {
            // SAFETY: it was made of a slice of so many bytes and one more.
            drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(data.cast::<u8>(), len + 1)) });
        }
        Ok(())
    });
}

/// Frees token ids, and makes them none. NULL and none are nothing.
///
/// # Safety
/// `tokens` is NULL, or points to ids that this library gave and that were not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hala_tokens_free(tokens: *mut Tokens) {
    let _: Status = anywhere(|| {
        // SAFETY: as the caller says.
        let Some(tokens) = (unsafe { tokens.as_mut() }) else { return Ok(()) };
        let Tokens { data, len } = std::mem::replace(tokens, Tokens { data: ptr::null_mut(), len: 0 });
        if !data.is_null() {
            // SAFETY: it was made of a slice of so many ids.
            drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(data, len)) });
        }
        Ok(())
    });
}
