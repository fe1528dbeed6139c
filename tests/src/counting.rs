//! An allocator that counts, for test programs that ask how much memory something takes.
//!
//! The program makes a [`Counting`] its `#[global_allocator]`, and has one test alone: the count is of all threads.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that are allocated, and the most that ever were since this was last set.
static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted.
#[derive(Debug)]
pub struct Counting;

// SAFETY: the system's allocator does the work, and counting changes nothing of what it gets or gives.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let n_bytes = taken(layout);
        let held = HELD.fetch_add(n_bytes, Ordering::Relaxed) + n_bytes;
        MOST.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(taken(layout), Ordering::Relaxed);
        // SAFETY: as above; `place` is from the system's allocator.
        unsafe { System.dealloc(place, layout) }
    }
}

/// What a system's allocator takes for it: that of glibc has eight bytes before each, and steps of 16 from 32 bytes on. Of short strings, as
/// a vocabulary has, it is several times what they ask for.
fn taken(layout: Layout) -> usize {
    (layout.size() + 8).next_multiple_of(16).max(32)
}

/// Bytes that are allocated now.
pub fn held() -> usize {
    HELD.load(Ordering::Relaxed)
}

/// What some work gave, and the most bytes that were allocated at once during it, beside those before it.
pub fn most_during<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = held();
    MOST.store(before, Ordering::Relaxed);
    let done = work();
    (done, MOST.load(Ordering::Relaxed) - before)
}
