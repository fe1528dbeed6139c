//! Ctrl-C: the first one asks the work to stop, the second one leaves at once.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use hala_plan::Cancel;
use hala_weights::without_temporary_name;
use tempfile::NamedTempFile;

use crate::failure::{INTERRUPTED, Interrupted};

/// Temporary files that exist now; leaving at once must not leave them behind.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// What the handler of Ctrl-C and the work share.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    cancel: Cancel,
    /// Pieces of work under way that look at the flag; where there is none, Ctrl-C leaves at once.
    n_working: Arc<AtomicUsize>,
}

/// While this lives, the first Ctrl-C only raises the flag.
#[derive(Debug)]
pub(crate) struct Working(Arc<AtomicUsize>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Interrupt {
    /// Begins to handle Ctrl-C.
    pub(crate) fn listen() -> Result<Self> {
        let interrupt = Self { cancel: Cancel::new(), n_working: Arc::default() };
        let handler = interrupt.clone();
        ctrlc::set_handler(move || handler.on_ctrl_c()).context("cannot handle Ctrl-C")?;
        Ok(interrupt)
    }

    fn on_ctrl_c(&self) {
        let is_second = self.cancel.is_cancelled();
        self.cancel.cancel();
        // Work that ends just now is counted out first and looks at the flag then: one of the two sees the other.
        if is_second || self.n_working.load(Ordering::SeqCst) == 0 {
            remove_temporary_files();
            // Nor is a GPU to blame for what its user ended.
            hala::forget_first_runs();
            std::process::exit(i32::from(INTERRUPTED));
        }
    }

    /// Marks the work that follows as work that looks at the flag.
    pub(crate) fn working(&self) -> Working {
        self.n_working.fetch_add(1, Ordering::SeqCst);
        Working(Arc::clone(&self.n_working))
    }

    /// Ends here where Ctrl-C came too late for the work that has ended, before anything is waited for.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        if self.cancel.is_cancelled() { Err(Interrupted) } else { Ok(()) }
    }

    /// The flag.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

/// Makes a temporary file and notes it to be removed if the program leaves at once, which then waits for the note.
pub(crate) fn temporary(make: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<NamedTempFile> {
    let mut known = TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner);
    let file = make().map_err(|error| without_temporary_name(&error))?;
    known.push(file.path().to_owned());
    Ok(file)
}

/// Takes the note back: the file has its name, or is gone.
pub(crate) fn forget_temporary(path: &Path) {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).retain(|p| p != path);
}

fn remove_temporary_files() {
    for path in TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let _ = std::fs::remove_file(path);
    }
}
