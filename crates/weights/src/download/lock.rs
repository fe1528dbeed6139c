//! One process at a time fetches a file, and notes what it is fetching.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::fault::Fault;

/// A lock file, held; it is let go of when this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Takes the lock, if nobody has it.
    ///
    /// # Errors
    /// Another holds it, or the file cannot be made.
    pub(crate) fn take(path: &Path) -> Result<Self, Fault> {
        let failed = |source| Fault::Disk { path: path.to_owned(), source };
        let locked = || Fault::Locked { path: path.to_owned() };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(failed)?;
        match try_lock(&file) {
            Ok(()) if is_at(&file, path) => Ok(Self { path: path.to_owned(), file }),
            // The holder before has just removed it.
            Ok(()) | Err(TryLockError::WouldBlock) => Err(locked()),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// What the lock's holders wrote into it.
    pub(crate) fn note(&mut self) -> io::Result<String> {
        let mut text = String::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_string(&mut text)?;
        Ok(text)
    }

    /// Writes into the lock what its next holder is to know.
    pub(crate) fn set_note(&mut self, text: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())
    }

    /// Removes the file, since nobody will want to go on.
    pub(crate) fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}

/// Locks a file, if nobody has.
///
/// # Errors
/// Another has, or the system cannot.
#[cfg(not(target_os = "android"))]
fn try_lock(file: &File) -> Result<(), TryLockError> {
    file.try_lock()
}

/// The same, which Rust's standard library does not have for Android.
///
/// # Errors
/// Another has, or the system cannot.
#[cfg(target_os = "android")]
fn try_lock(file: &File) -> Result<(), TryLockError> {
    use rustix::fs::{FlockOperation, flock};
    flock(file, FlockOperation::NonBlockingLockExclusive).map_err(|error| match error {
        rustix::io::Errno::WOULDBLOCK => TryLockError::WouldBlock,
        error => TryLockError::Error(error.into()),
    })
}

/// Whether the open file is still the one of this name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |m: std::fs::Metadata| (m.dev(), m.ino());
    let (open, named) = (file.metadata().map(place), path.metadata().map(place));
    open.is_ok_and(|open| named.is_ok_and(|named| open == named))
}

/// Elsewhere a file that is open keeps its name.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}
