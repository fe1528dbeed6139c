//! A slice whose parts several threads write at once.

use std::marker::PhantomData;
use std::ops::Range;

/// Lends disjoint parts of one slice to several threads: the columns of a matrix, say, which no safe split gives.
#[derive(Debug)]
pub(crate) struct Shared<'a, T> {
    start: *mut T,
    n: usize,
    slice: PhantomData<&'a mut [T]>,
}

// SAFETY: parts are `&mut [T]`, which threads may hold where T is `Send`; that parts do not overlap is the promise of
// those who call `part`.
unsafe impl<T: Send> Sync for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    /// Holds the slice until the parts are no longer used.
    pub(crate) fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), n: slice.len(), slice: PhantomData }
    }

    /// The elements in `range`.
    ///
    /// # Panics
    /// The range is outside of the slice.
    ///
    /// # Safety
    /// No other part that overlaps this one may be in use.
    #[expect(clippy::mut_from_ref, reason = "that parts do not overlap is the caller's promise")]
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.n, "a part within the slice");
        // SAFETY: the range is within the slice that `start` came from, which is borrowed mutably for `'a`, and the
        // caller promises that nobody else uses these elements.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}
