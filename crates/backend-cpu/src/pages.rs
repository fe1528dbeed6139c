//! Memory for weights, in pages as large as the system has.
//!
//! A token reads every weight once. In pages of 4 KiB that is a hundred thousand translations of addresses, each of which
//! stops the processor's reading ahead; Linux gives pages of 2 MiB where it is asked.

use std::ops::{Deref, DerefMut};

use bytemuck::Pod;

/// Numbers in a row, zeros at first.
#[derive(Debug)]
pub(crate) struct Pages<T>(Place<T>);

#[derive(Debug)]
enum Place<T> {
    #[cfg(target_os = "linux")]
    Mapped(memmap2::MmapMut),
    Allocated(Vec<T>),
}

impl<T: Pod> Pages<T> {
    /// `n` zeros.
    pub(crate) fn zeroed(n: usize) -> Self {
        #[cfg(target_os = "linux")]
        if let Some(map) = large_pages(n * size_of::<T>()) {
            return Self(Place::Mapped(map));
        }
        Self(Place::Allocated(vec![T::zeroed(); n]))
    }

    /// `n` times `value`: memory that is written to, where zeros may be one page seen many times.
    pub(crate) fn filled(n: usize, value: T) -> Self {
        let mut pages = Self::zeroed(n);
        pages.fill(value);
        pages
    }
}

/// Memory in large pages; none where it would not fill one, or cannot be had.
#[cfg(target_os = "linux")]
fn large_pages(n_bytes: usize) -> Option<memmap2::MmapMut> {
    /// The size of a large page on x86-64 and, with base pages of 4 KiB, on aarch64.
    const LARGE_PAGE: usize = 2 << 20;
    if n_bytes < LARGE_PAGE {
        return None;
    }
    let map = memmap2::MmapMut::map_anon(n_bytes).ok()?;
    // Systems without large pages refuse the advice, and the memory is as good as any.
    let _ = map.advise(memmap2::Advice::HugePage);
    Some(map)
}

impl<T: Pod> Deref for Pages<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        match &self.0 {
            #[cfg(target_os = "linux")]
            Place::Mapped(map) => bytemuck::cast_slice(map),
            Place::Allocated(values) => values,
        }
    }
}

impl<T: Pod> DerefMut for Pages<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            #[cfg(target_os = "linux")]
            Place::Mapped(map) => bytemuck::cast_slice_mut(map),
            Place::Allocated(values) => values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_ones_are_zeros_that_can_be_written() {
        for n in [0, 1, 1000, 3 << 20] {
            let mut pages = Pages::<f32>::zeroed(n);
            assert_eq!(pages.len(), n);
            assert!(pages.iter().all(|x| *x == 0.0));
            if let Some(last) = pages.last_mut() {
                *last = 1.0;
            }
            assert_eq!(pages.iter().sum::<f32>(), if n == 0 { 0.0 } else { 1.0 });
        }
    }
}
