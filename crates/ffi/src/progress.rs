//! How far loading or a download has come.

use std::ffi::c_void;

use crate::entry::inside;
use crate::text::{Terminated, Text};

/// What goes on.
#[repr(i32)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressKind {
    /// A file comes: `done` and `total` are bytes of it, those of an earlier attempt included; `total` is 0 where it is not known.
    Downloading = 1,
    /// What has come is checked against its SHA-256: `done` and `total` are bytes.
    Verifying = 2,
    /// The connection broke and is tried again; what has come is kept.
    Retrying = 3,
    /// No byte has come for a moment: told a few times a second, so that a download can be stopped then too.
    Waiting = 5,
    /// Weights go to the device: `done` and `total` are numbers in them.
    Loading = 4,
}

/// How far it has come. Later versions may add fields at the end.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Bytes of this struct as the library has it.
    pub struct_size: usize,
    /// A HalaProgressKind; a newer library may have others, to be passed over.
    pub kind: i32,
    /// The file or the tensor.
    pub name: Text,
    /// How much of it is done.
    pub done: u64,
    /// How much there is.
    pub total: u64,
}

/// Takes progress; `false` stops what goes on. `progress` is there until it returns.
pub type ProgressCallback =
    Option<unsafe extern "C" fn(progress: *const Progress, user_data: *mut c_void) -> bool>;

/// A callback with what it is given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Teller {
    pub(crate) callback: ProgressCallback,
    pub(crate) user_data: *mut c_void,
}

// SAFETY: it is called on the thread that calls the library alone, and passed no further than its call.
unsafe impl Send for Teller {}
// SAFETY: as above.
unsafe impl Sync for Teller {}

impl Teller {
    /// Tells, and gives whether it goes on.
    pub(crate) fn tell(&self, kind: ProgressKind, name: &str, done: u64, total: u64) -> bool {
        let Some(callback) = self.callback else { return true };
        let struct_size = size_of::<Progress>();
        let name = Terminated::new(name);
        let progress = Progress { struct_size, kind: kind as i32, name: name.lend(), done, total };
        // SAFETY: the pointers are the caller's, and what they point to is there until the callback returns.
        inside(|| unsafe { callback(&raw const progress, self.user_data) })
    }
}
