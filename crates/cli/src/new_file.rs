//! A file that appears under its name only when it is whole.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;

use crate::interrupt::{forget_temporary, temporary};

/// A file being written under a temporary name beside its own; dropping it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct NewFile {
    file: Option<NamedTempFile>,
    temporary: PathBuf,
    path: PathBuf,
}

impl NewFile {
    /// Begins to write; an existing file stays as it is until [`NewFile::commit`].
    ///
    /// # Errors
    /// The path cannot be written.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let what = || format!("cannot write `{}`", path.display());
        // Renaming over a link would replace the link, and over a device the device.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match target.metadata() {
            Ok(found) if found.is_dir() => bail!("{}: it is a folder", what()),
            Ok(found) if !found.is_file() => bail!("{}: it exists and is not a regular file", what()),
            Ok(found) if found.permissions().readonly() => bail!("{}: it is read-only", what()),
            _ => {}
        }
        if target.file_name().is_none() {
            bail!("{}: it names no file", what());
        }
        let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = temporary(|| builder.prefix(".hala-").tempfile_in(folder)).with_context(what)?;
        let temporary = file.path().to_owned();
        Ok(Self { file: Some(file), temporary, path: target })
    }

    /// Checks that [`NewFile::create`] would succeed, so that long work does not end in an error.
    ///
    /// # Errors
    /// As for [`NewFile::create`].
    pub(crate) fn check(path: &Path) -> Result<()> {
        Self::create(path).map(drop)
    }

    /// Adds bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let path = &self.path;
        match &mut self.file {
            Some(file) => file.write_all(bytes).with_context(|| format!("cannot write `{}`", path.display())),
            None => Ok(()),
        }
    }

    /// Gives the file its name, after its bytes are safe on the disk.
    pub(crate) fn commit(mut self) -> Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        let what = || format!("cannot write `{}`", self.path.display());
        file.as_file().sync_all().with_context(what)?;
        file.persist(&self.path).map_err(|e| e.error).with_context(what)?;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        drop(self.file.take());
        forget_temporary(&self.temporary);
    }
}
