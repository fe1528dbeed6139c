//! Which pages or slots of a pool are taken: counted handles, and a place is free again when its last one is dropped.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The pages of one page table, or the slots, of a pool.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Mutex<Free>>);

#[derive(Debug)]
struct Free {
    /// Those that nobody has; the first ones are handed out first, so that a pool can shrink.
    free: BTreeSet<u32>,
    /// Places that the device has.
    n_places: usize,
    /// Places at the start that are never handed out.
    n_reserved: usize,
}

/// A page or a slot; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Place(Arc<Taken>);

#[derive(Debug)]
struct Taken {
    idx: u32,
    home: Places,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.home.lock().free.insert(self.idx);
    }
}

impl Place {
    /// Its index in the pool.
    pub(crate) fn idx(&self) -> u32 {
        self.0.idx
    }

    /// Whether others have it too, so that it must not be written.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

impl Places {
    /// None yet; the first `n_reserved` will never be handed out.
    pub(crate) fn new(n_reserved: usize) -> Self {
        Self(Arc::new(Mutex::new(Free { free: BTreeSet::new(), n_places: n_reserved, n_reserved })))
    }

    fn lock(&self) -> MutexGuard<'_, Free> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A free place, where there is one.
    pub(crate) fn take(&self) -> Option<Place> {
        let idx = self.lock().free.pop_first()?;
        Some(Place(Arc::new(Taken { idx, home: self.clone() })))
    }

    /// Places that are free.
    pub(crate) fn n_free(&self) -> usize {
        self.lock().free.len()
    }

    /// Places that somebody has.
    pub(crate) fn n_taken(&self) -> usize {
        let free = self.lock();
        free.n_places - free.n_reserved - free.free.len()
    }

    /// Places up to the last one that somebody has: what the pool must keep.
    pub(crate) fn n_needed(&self) -> usize {
        let free = self.lock();
        let mut n_needed = free.n_places;
        for idx in free.free.iter().rev() {
            if *idx as usize + 1 != n_needed {
                break;
            }
            n_needed -= 1;
        }
        n_needed
    }

    /// Notes that the device has so many places now; those that are taken are among them.
    pub(crate) fn resize(&self, n_places: usize) {
        let mut free = self.lock();
        let before = free.n_places.max(free.n_reserved);
        free.free.extend(before as u32..n_places as u32);
        free.free.retain(|idx| (*idx as usize) < n_places);
        free.n_places = n_places;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_once_its_last_handle_is_gone() {
        let places = Places::new(1);
        assert!(places.take().is_none());
        places.resize(3);
        let (a, b) = (places.take().unwrap(), places.take().unwrap());
        assert_eq!([a.idx(), b.idx()], [1, 2]);
        assert!(places.take().is_none());
        let shared = a.clone();
        assert!(a.is_shared());
        drop(a);
        assert!(!shared.is_shared());
        assert_eq!(places.n_taken(), 2);
        drop(shared);
        assert_eq!(places.take().unwrap().idx(), 1);
        assert_eq!(places.n_taken(), 1);
    }

    #[test]
    fn a_pool_shrinks_to_the_last_place_that_is_taken() {
        let places = Places::new(0);
        places.resize(8);
        let mut taken: Vec<Place> = std::iter::from_fn(|| places.take()).collect();
        taken.truncate(3);
        assert_eq!(places.n_needed(), 3);
        places.resize(3);
        assert_eq!((places.n_free(), places.n_taken()), (0, 3));
        taken.remove(0);
        assert_eq!(places.n_needed(), 3);
        places.resize(4);
        assert_eq!([places.take().unwrap().idx(), places.n_free() as u32], [0, 1]);
    }
}
