//! The first run of a GPU, guarded: a file says how far it has come, and stays where the program does not survive it.
//!
//! Whoever runs holds a lock on the file, which the system lets go of with the program. So a file without a lock was left behind.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use hala_backend_wgpu::Origin;
use serde::{Deserialize, Serialize};

use crate::unfit::{Stage, Unfit};

/// What the file says.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    origin: Origin,
    stage: Stage,
    /// The process, where the system has no locks on files.
    process: u32,
}

/// The files of first runs under way in this program.
static UNDER_WAY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes what would say that the first run of a GPU ended in the middle: for a program that ends at once, as its user wants, while a thread
/// loads a model.
pub fn forget_first_runs() {
    for path in UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let _ = std::fs::remove_file(path);
    }
}

/// A first run under way. Dropped, it has not ended in the middle, however it ended.
#[derive(Debug)]
pub(crate) struct Guard {
    file: File,
    path: PathBuf,
    origin: Origin,
}

impl Guard {
    /// Begins a first run; `None` where its file cannot be written, so that it goes on unguarded.
    ///
    /// # Errors
    /// [`Unfit::Died`] where an earlier one ended in the middle, whose file is then gone, and [`Unfit::InTrial`] where one is under way.
    pub(crate) fn begin(path: &Path, origin: &Origin, stage: Stage) -> Result<Option<Self>, Unfit> {
        let Ok(mut file) = open(path) else { return Ok(None) };
        let left = read(&mut file);
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Unfit::InTrial),
            // Android's files have no locks in Rust's standard library.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                if left.as_ref().is_some_and(|note| note.process == std::process::id()) {
                    return Err(Unfit::InTrial);
                }
            }
            Err(TryLockError::Error(_)) => return Ok(None),
        }
        let mut guard = Self { file, path: path.to_owned(), origin: origin.clone() };
        match left {
            Some(note) if note.origin == *origin => {
                let _ = std::fs::remove_file(path);
                Err(Unfit::Died { stage: note.stage })
            }
            _ => {
                UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).push(guard.path.clone());
                Ok(guard.note(stage).is_ok().then_some(guard))
            }
        }
    }

    /// Notes how far it has come.
    pub(crate) fn reach(&mut self, stage: Stage) {
        // What could not be noted is told less precisely.
        let _ = self.note(stage);
    }

    /// Writes the file, and waits until it is on the disk, as some drivers take the whole phone down; but for the search for GPUs, which is at
    /// each start.
    fn note(&mut self, stage: Stage) -> io::Result<()> {
        let note = Note { origin: self.origin.clone(), stage, process: std::process::id() };
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&serde_json::to_vec(&note)?)?;
        if stage == Stage::Looking { Ok(()) } else { self.file.sync_all() }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner).retain(|path| *path != self.path);
    }
}

fn open(path: &Path) -> io::Result<File> {
    std::fs::create_dir_all(path.parent().unwrap_or(path))?;
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// What an earlier first run noted. An empty file is one that another program has just made.
fn read(file: &mut File) -> Option<Note> {
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    fn origin(driver: &str) -> Origin {
        Origin { driver: driver.to_owned(), ..Origin::default() }
    }

    /// Leaves a file behind as a program does that dies.
    fn die(path: &Path, stage: Stage) {
        let note = Note { origin: origin("1"), stage, process: 0 };
        std::fs::write(path, serde_json::to_vec(&note).unwrap()).unwrap();
    }

    #[test]
    fn a_first_run_that_ends_leaves_nothing_behind() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("devices").join("a.trial");
        let mut guard = Guard::begin(&path, &origin("1"), Stage::SetUp).unwrap().unwrap();
        guard.reach(Stage::FirstRun);
        assert!(path.exists());
        drop(guard);
        assert!(!path.exists());
    }

    #[test]
    fn another_one_meanwhile_is_told_so() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("a.trial");
        let guard = Guard::begin(&path, &origin("1"), Stage::SetUp).unwrap();
        assert_eq!(Guard::begin(&path, &origin("1"), Stage::SetUp).unwrap_err(), Unfit::InTrial);
        drop(guard);
        assert!(Guard::begin(&path, &origin("1"), Stage::SetUp).unwrap().is_some());
    }

    #[test]
    fn one_that_ended_in_the_middle_is_told_of_once_with_how_far_it_came() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("a.trial");
        die(&path, Stage::KnownModel);
        let found = Guard::begin(&path, &origin("1"), Stage::SetUp).unwrap_err();
        assert_eq!(found, Unfit::Died { stage: Stage::KnownModel });
        assert!(Guard::begin(&path, &origin("1"), Stage::SetUp).unwrap().is_some());
    }

    #[test]
    fn one_with_another_driver_says_nothing_of_this_one() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("a.trial");
        die(&path, Stage::FirstRun);
        assert!(Guard::begin(&path, &origin("2"), Stage::SetUp).unwrap().is_some());
    }

    #[test]
    fn a_folder_that_cannot_be_written_stops_nothing() {
        let folder = tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(Guard::begin(&file.join("a.trial"), &origin("1"), Stage::SetUp).unwrap().is_none());
    }
}
