//! Structs that a caller gives, whose first field is their size: those of older and of newer headers are read.

use crate::failure::Failure;
use crate::status::Status;

/// A struct that begins with `struct_size: usize`, and for which all bytes zero mean defaults.
///
/// # Safety
/// It is `repr(C)`, its first field is a `usize`, and all bytes zero are a value of it.
pub(crate) unsafe trait Given: Copy {
    /// Its name in the header.
    const NAME: &'static str;
    /// Its size in the first version of the interface. Later versions add fields at the end.
    const FIRST_SIZE: usize;
}

/// Reads a struct that a caller gives; NULL means that everything is as it is by default.
///
/// # Errors
/// A size that it never had, or fields of a newer header that this library does not know and that are not zero.
///
/// # Safety
/// `given` is NULL, or points to as many bytes as its first field says.
pub(crate) unsafe fn read<T: Given>(given: *const T) -> Result<T, Failure> {
    // SAFETY: all bytes zero are a value of it.
    let mut value: T = unsafe { std::mem::zeroed() };
    if given.is_null() {
        return Ok(value);
    }
    // SAFETY: the struct begins with its size.
    let size = unsafe { given.cast::<usize>().read_unaligned() };
    let (known, bytes) = (size_of::<T>(), given.cast::<u8>());
    if size < T::FIRST_SIZE || size > (1 << 16) {
        let message =
            format!("{}.struct_size is {size}: set it to sizeof({}), {known} here", T::NAME, T::NAME);
        return Err(Failure::new(Status::InvalidStructSize, message));
    }
    for i in known..size {
        // SAFETY: the caller's struct has so many bytes.
        if unsafe { *bytes.add(i) } != 0 {
            let message = format!(
                "{} has fields that this library does not know ({size} bytes, {known} here): use a newer library, or leave them zero",
                T::NAME
            );
            return Err(Failure::new(Status::InvalidStructSize, message));
        }
    }
    // SAFETY: both have so many bytes, and any prefix of a value followed by zeros is one.
    unsafe { std::ptr::copy_nonoverlapping(bytes, (&raw mut value).cast::<u8>(), size.min(known)) };
    Ok(value)
}

/// Writes a struct that a caller wants filled: as much of it as their header has.
///
/// # Errors
/// NULL, or a size that it never had.
///
/// # Safety
/// `out` is NULL, or points to as many bytes as its first field says.
pub(crate) unsafe fn write<T: Given>(out: *mut T, mut value: T) -> Result<(), Failure> {
    if out.is_null() {
        return Err(Failure::null(T::NAME));
    }
    // SAFETY: the struct begins with its size.
    let size = unsafe { out.cast::<usize>().read_unaligned() };
    if size < T::FIRST_SIZE || size > (1 << 16) {
        let message = format!("{}.struct_size is {size}: set it to sizeof({})", T::NAME, T::NAME);
        return Err(Failure::new(Status::InvalidStructSize, message));
    }
    // SAFETY: `value` begins with its size, and the caller's struct has so many bytes.
    unsafe {
        (&raw mut value).cast::<usize>().write(size);
        std::ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), out.cast(), size.min(size_of::<T>()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Options {
        struct_size: usize,
        a: usize,
        b: usize,
    }

    // SAFETY: numbers alone.
    unsafe impl Given for Options {
        const NAME: &'static str = "HalaTestOptions";
        const FIRST_SIZE: usize = 2 * size_of::<usize>();
    }

    const WORD: usize = size_of::<usize>();

    fn given(words: &[usize]) -> Result<Options, Status> {
        // SAFETY: the words are there.
        unsafe { read(words.as_ptr().cast::<Options>()) }.map_err(|failure| failure.status)
    }

    #[test]
    fn what_an_older_header_lacks_is_zero() {
        assert_eq!(given(&[2 * WORD, 5, 7]).unwrap(), Options { struct_size: 2 * WORD, a: 5, b: 0 });
        assert_eq!(given(&[3 * WORD, 5, 7]).unwrap().b, 7);
    }

    #[test]
    fn what_a_newer_header_has_more_must_be_zero() {
        assert_eq!(given(&[4 * WORD, 5, 7, 0]).unwrap().b, 7);
        assert_eq!(given(&[4 * WORD, 5, 7, 1]), Err(Status::InvalidStructSize));
    }

    #[test]
    fn a_size_that_it_never_had_is_refused() {
        for size in [0, WORD, 2 * WORD - 1, usize::MAX] {
            assert_eq!(given(&[size, 5, 7]), Err(Status::InvalidStructSize), "{size}");
        }
    }

    #[test]
    fn no_more_is_written_than_the_caller_s_header_has() {
        let mut words = [2 * WORD, 0, 77];
        let value = Options { struct_size: 0, a: 5, b: 6 };
        // SAFETY: the words are there.
        unsafe { write(words.as_mut_ptr().cast::<Options>(), value) }.unwrap();
        assert_eq!(words, [2 * WORD, 5, 77]);
    }
}
