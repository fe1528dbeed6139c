//! Lists that a caller points to.

use std::slice;

use crate::failure::Failure;

/// The elements that a caller points to.
///
/// # Errors
/// NULL with a length, or a length that no memory has: what is no slice must not be made one.
///
/// # Safety
/// `data` points to `n` elements that stay as they are for `'a`.
pub(crate) unsafe fn read<'a, T>(data: *const T, n: usize, what: &'static str) -> Result<&'a [T], Failure> {
    if n == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(Failure::null(what));
    }
    if n > isize::MAX as usize / size_of::<T>() {
        return Err(Failure::argument(
            what,
            format!("it has {n} elements, more than any memory holds: give its length"),
        ));
    }
    // SAFETY: as the caller says.
    Ok(unsafe { slice::from_raw_parts(data, n) })
}
