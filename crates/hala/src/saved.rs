//! Sequences in files.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use hala_engine::{EngineError, Retained, SavedError};
use hala_weights::{Reader, WholeFile};

use crate::error::Error;
use crate::runtime::Runtime;

impl<R: Reader> Runtime<R> {
    /// Writes what is in memory of a sequence of [`Runtime::scheduler`] to a file: see [`Scheduler::save`](crate::Scheduler::save). The file has its
    /// name once all of it is on the disk.
    ///
    /// # Errors
    /// Nothing of it is in memory, as after a lost device; the file cannot be written.
    pub async fn save(&mut self, retained: &Retained, path: &Path) -> Result<(), Error> {
        let failed = |source| of(path, SavedError::Io { action: "write", source });
        let mut file = WholeFile::create(path).map_err(failed)?;
        match self.scheduler()?.save(retained, &mut file).await {
            Err(error) if error.is_device_lost() => {
                self.recover(&error.to_string()).await?;
                Err(of(path, SavedError::NotHeld))
            }
            Err(error) => Err(named(path, error)),
            Ok(()) => file.finish().map_err(failed),
        }
    }

    /// Reads a sequence that was saved into the memory of [`Runtime::scheduler`]: see [`Scheduler::restore`](crate::Scheduler::restore).
    ///
    /// # Errors
    /// The file cannot be read, or is no sequence of this model; no memory; a device that is lost for good.
    pub async fn restore(&mut self, path: &Path) -> Result<Retained, Error> {
        match self.read_saved(path) {
            Err(error) if error.is_device_lost() => {
                self.recover(&error.to_string()).await?;
                self.read_saved(path)
            }
            done => done,
        }
    }

    fn read_saved(&mut self, path: &Path) -> Result<Retained, Error> {
        let failed = |source| of(path, SavedError::Io { action: "read", source });
        let file = File::open(path).map_err(failed)?;
        let n_bytes = file.metadata().map_err(failed)?.len();
        let restored = self.scheduler()?.restore(&mut BufReader::new(file), n_bytes);
        restored.map_err(|error| named(path, error))
    }
}

/// What is wrong with a file, with its name.
fn of(path: &Path, source: SavedError) -> Error {
    Error::Saved { path: path.to_owned(), source }
}

/// The same of an error that may be the file's.
fn named(path: &Path, error: EngineError) -> Error {
    match error {
        EngineError::Saved(source) => of(path, source),
        error => error.into(),
    }
}
