//! A folder that has its name once all of its files are on the disk.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::run_fault::RunFault;

/// A folder that is filled under another name beside its own.
#[derive(Debug)]
pub(super) struct WholeFolder {
    path: PathBuf,
    filling: PathBuf,
}

impl WholeFolder {
    /// Begins a folder; what a killed process has left of it is removed.
    pub(super) fn create(path: &Path) -> Result<Self, RunFault> {
        let filling = beside(path, "new");
        remove(&filling)?;
        fs::create_dir_all(&filling).map_err(RunFault::io("make", &filling))?;
        Ok(Self { path: path.to_owned(), filling })
    }

    /// Where files are written until the folder has its name.
    pub(super) fn filling(&self) -> &Path {
        &self.filling
    }

    /// Writes a file.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunFault> {
        let path = self.filling.join(name);
        let mut file = File::create(&path).map_err(RunFault::io("write", &path))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(RunFault::io("write", &path))
    }

    /// Gives the folder its name, in place of one that has it.
    pub(super) fn finish(self) -> Result<(), RunFault> {
        let old = beside(&self.path, "old");
        remove(&old)?;
        if self.path.exists() {
            fs::rename(&self.path, &old).map_err(RunFault::io("rename", &self.path))?;
        }
        fs::rename(&self.filling, &self.path).map_err(RunFault::io("rename", &self.filling))?;
        if let Some(parent) = self.path.parent() {
            sync(parent)?;
        }
        remove(&old)
    }
}

/// Waits until names in a folder are on the disk.
pub(super) fn sync(folder: &Path) -> Result<(), RunFault> {
    // Windows opens no folders, and keeps names by itself.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(RunFault::io("sync", folder))?;
    }
    Ok(())
}

/// Removes a folder, if it is there.
pub(super) fn remove(folder: &Path) -> Result<(), RunFault> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(RunFault::io("remove", folder))?;
    }
    Ok(())
}

/// `.NAME.what` beside a path.
fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_replaces_another_and_leaves_nothing_beside_it() {
        let out = tempfile::tempdir().unwrap();
        let path = out.path().join("best");
        for text in ["one", "two"] {
            // As a killed process leaves it.
            fs::create_dir_all(out.path().join(".best.new/rest")).unwrap();
            let folder = WholeFolder::create(&path).unwrap();
            folder.write("x", text.as_bytes()).unwrap();
            folder.finish().unwrap();
            assert_eq!(fs::read_to_string(path.join("x")).unwrap(), text);
            assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1);
            assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
        }
    }
}
