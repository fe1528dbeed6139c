//! A file that has its name once all of it is on the disk.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file that is written under a temporary name beside its own, and gets that at the end; dropped before, it leaves nothing.
#[derive(Debug)]
pub struct WholeFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl WholeFile {
    /// Begins a file.
    ///
    /// # Errors
    /// The folder cannot be written, or `path` is something else than a file.
    pub fn create(path: &Path) -> io::Result<Self> {
        // Renaming over a device or a pipe would replace it.
        if path.metadata().is_ok_and(|m| !m.is_file()) {
            return Err(io::Error::other("it exists and is not a regular file"));
        }
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(folder).map_err(|e| without_temporary_name(&e))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Waits until all is on the disk, and gives it its name.
    ///
    /// # Errors
    /// The disk is full, or the name cannot be given.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path).map(|_: File| ()).map_err(|e| e.error)
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for WholeFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// An error of making a temporary file without the name of that file, which nobody has given: `tempfile` adds it at the end.
pub fn without_temporary_name(error: &io::Error) -> io::Error {
    let text = error.to_string();
    let own = text.split_once(" at path ").map_or(text.as_str(), |(own, _)| own);
    io::Error::new(error.kind(), own.to_owned())
}
