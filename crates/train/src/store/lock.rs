//! One process at a time trains in a folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::run_fault::RunFault;

/// The lock of a run's folder, held until this is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "it is held, and let go of when it is closed")] File);

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// Another process holds it, or the folder cannot be written.
    pub fn take(folder: &Path) -> Result<Self, RunFault> {
        let path = folder.join(".lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(RunFault::io("write", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(RunFault::Busy { path: folder.display().to_string() }),
            Err(TryLockError::Error(error)) => Err(RunFault::io("lock", &path)(error)),
        }
    }
}
