//! One page of a KV cache, whose entries several threads write at once.

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::Range;

use bytemuck::Zeroable;

/// `[K, PAGE, A]`: the keys or the values of [`PAGE`](hala_plan::PAGE) positions in one layer.
pub(crate) struct Page<C>(Box<[UnsafeCell<C>]>);

// SAFETY: who only reads, reads `C`, which is `Sync`; who writes has `&mut [C]` of elements that are nobody else's, which is the promise of
// those who call `part`, and which threads may hold where `C` is `Send`.
unsafe impl<C: Send + Sync> Sync for Page<C> {}

impl<C> fmt::Debug for Page<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("n", &self.0.len()).finish_non_exhaustive()
    }
}

impl<C: Copy + Zeroable> Page<C> {
    /// `n` zeros, or `None` where there is no memory; the system hands it out only as it is written.
    pub(crate) fn zeroed(n: usize) -> Option<Self> {
        bytemuck::allocation::try_zeroed_slice_box(n).ok().map(Self)
    }

    /// All elements.
    pub(crate) fn cells(&self) -> &[C] {
        // SAFETY: an `UnsafeCell` lies in memory as what it holds, and that nobody writes is the promise of those who call `part`.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len()) }
    }

    /// All elements, for writing.
    pub(crate) fn cells_mut(&mut self) -> &mut [C] {
        let n = self.0.len();
        // SAFETY: as above; the page is borrowed mutably.
        unsafe { self.part(0..n) }
    }

    /// The elements in `range`, for writing.
    ///
    /// # Panics
    /// The range is outside of the page.
    ///
    /// # Safety
    /// Nobody else reads or writes these elements while they are in use, nor holds [`Page::cells`].
    #[expect(clippy::mut_from_ref, reason = "that parts do not overlap is the caller's promise")]
    pub(crate) unsafe fn part(&self, range: Range<usize>) -> &mut [C] {
        let cells = &self.0[range];
        // SAFETY: the elements are within the page, an `UnsafeCell` may be written through a shared reference, and the caller promises that
        // nobody else uses them.
        unsafe { std::slice::from_raw_parts_mut(UnsafeCell::raw_get(cells.as_ptr()), cells.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_write_parts_of_one_page_at_once() {
        let page: Page<f32> = Page::zeroed(12).unwrap();
        std::thread::scope(|scope| {
            for i in 0..3 {
                let page = &page;
                // SAFETY: the parts do not overlap, and nobody reads until all are written.
                scope.spawn(move || unsafe { page.part(i * 4..i * 4 + 4) }.fill(i as f32));
            }
        });
        assert_eq!(page.cells(), [0.0f32, 1.0, 2.0].map(|x| [x; 4]).concat());
    }

    #[test]
    fn more_than_there_is_memory_is_refused() {
        assert!(Page::<f32>::zeroed(usize::MAX / 8).is_none());
    }
}
