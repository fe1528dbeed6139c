//! Handles: numbers that stand for what the library holds, each counted. They point to nothing, so that a wrong one is found out instead of followed.

use std::collections::HashMap;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use crate::failure::Failure;
use crate::status::Status;

/// Kinds of handles, in the lowest bits of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Engine = 1,
    Session = 2,
    Stream = 3,
    Cancel = 4,
    #[cfg(feature = "jni")]
    Task = 5,
    #[cfg(feature = "jni")]
    Log = 6,
}

impl Kind {
    const BITS: u32 = 3;

    const fn name(self) -> &'static str {
        match self {
            Self::Engine => "HalaEngine",
            Self::Session => "HalaSession",
            Self::Stream => "HalaStream",
            Self::Cancel => "HalaCancel",
            #[cfg(feature = "jni")]
            Self::Task => "HalaTask",
            #[cfg(feature = "jni")]
            Self::Log => "HalaLog",
        }
    }
}

/// The handles of one kind that there are.
pub(crate) struct Handles<T> {
    kind: Kind,
    held: LazyLock<RwLock<HashMap<usize, Held<T>>>>,
}

struct Held<T> {
    value: Arc<T>,
    /// How many the caller holds.
    n_held: AtomicUsize,
}

/// Numbers are used once, so that a handle that was released never is another's.
static NEXT: AtomicUsize = AtomicUsize::new(1);

impl<T> Handles<T> {
    /// None yet.
    pub(crate) const fn new(kind: Kind) -> Self {
        Self { kind, held: LazyLock::new(Default::default) }
    }

    /// A new handle, held once.
    pub(crate) fn add<H>(&self, value: T) -> *mut H {
        let number = NEXT.fetch_add(1, Ordering::Relaxed) << Kind::BITS | self.kind as usize;
        let held = Held { value: Arc::new(value), n_held: AtomicUsize::new(1) };
        self.held.write().unwrap_or_else(PoisonError::into_inner).insert(number, held);
        ptr::without_provenance_mut(number)
    }

    /// Makes something, and writes a handle for it to a place of the caller's, which is NULL where that fails.
    ///
    /// # Errors
    /// No place, or what the making gives.
    ///
    /// # Safety
    /// `place` is NULL or a place for a handle.
    pub(crate) unsafe fn put<H>(
        &self,
        place: *mut *mut H,
        what: &'static str,
        make: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<(), Failure> {
        if place.is_null() {
            return Err(Failure::null(what));
        }
        // SAFETY: as the caller says.
        unsafe {
            place.write(ptr::null_mut());
            place.write(self.add(make()?));
        }
        Ok(())
    }

    /// What a handle stands for.
    ///
    /// # Errors
    /// NULL, one that was released, or one of another kind.
    pub(crate) fn get<H>(&self, handle: *const H) -> Result<Arc<T>, Failure> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.get(&handle.addr())
            .map(|held| Arc::clone(&held.value))
            .ok_or_else(|| self.refusal(handle.addr()))
    }

    /// What a handle stands for, where one is given.
    ///
    /// # Errors
    /// As for [`Handles::get`], but for NULL.
    pub(crate) fn get_given<H>(&self, handle: *const H) -> Result<Option<Arc<T>>, Failure> {
        if handle.is_null() { Ok(None) } else { self.get(handle).map(Some) }
    }

    /// Holds it once more.
    ///
    /// # Errors
    /// As for [`Handles::get`].
    pub(crate) fn retain<H>(&self, handle: *const H) -> Result<(), Failure> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let found = held.get(&handle.addr()).ok_or_else(|| self.refusal(handle.addr()))?;
        found.n_held.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Holds it once less; what nobody holds any more goes when what still works with it has ended. NULL is nothing.
    ///
    /// # Errors
    /// As for [`Handles::get`], but for NULL.
    pub(crate) fn release<H>(&self, handle: *const H) -> Result<(), Failure> {
        if handle.is_null() {
            return Ok(());
        }
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        let found = held.get(&handle.addr()).ok_or_else(|| self.refusal(handle.addr()))?;
        if found.n_held.fetch_sub(1, Ordering::Relaxed) == 1 {
            let last = held.remove(&handle.addr());
            // What it holds may be large, and hold others: it goes outside of the lock.
            drop(held);
            drop(last);
        }
        Ok(())
    }

    fn refusal(&self, number: usize) -> Failure {
        let wanted = self.kind.name();
        let kinds = [Kind::Engine, Kind::Session, Kind::Stream, Kind::Cancel];
        let kind = kinds.into_iter().find(|kind| *kind as usize == number & ((1 << Kind::BITS) - 1));
        let message = match kind {
            _ if number == 0 => format!("the {wanted} is NULL"),
            Some(kind) if kind != self.kind => format!("the handle is a {}, not a {wanted}", kind.name()),
            _ => format!("the {wanted} was released, or never was"),
        };
        Failure::new(Status::InvalidHandle, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Opaque;

    static ENGINES: Handles<String> = Handles::new(Kind::Engine);
    static STREAMS: Handles<String> = Handles::new(Kind::Stream);

    fn said(failure: Result<Arc<String>, Failure>) -> String {
        failure.unwrap_err().message
    }

    #[test]
    fn one_that_was_released_is_told_from_one_of_another_kind() {
        let engine: *mut Opaque = ENGINES.add(String::from("engine"));
        let stream: *mut Opaque = STREAMS.add(String::from("stream"));
        assert_eq!(*ENGINES.get(engine).unwrap(), "engine");
        assert_eq!(said(ENGINES.get(stream)), "the handle is a HalaStream, not a HalaEngine");
        ENGINES.retain(engine).unwrap();
        ENGINES.release(engine).unwrap();
        ENGINES.get(engine).unwrap();
        ENGINES.release(engine).unwrap();
        assert_eq!(said(ENGINES.get(engine)), "the HalaEngine was released, or never was");
        assert_eq!(ENGINES.release(engine).unwrap_err().status, Status::InvalidHandle);
        assert_eq!(said(ENGINES.get(ptr::null::<Opaque>())), "the HalaEngine is NULL");
        ENGINES.release(ptr::null::<Opaque>()).unwrap();
        STREAMS.release(stream).unwrap();
    }
}
