//! The states of a run: the last two are kept, so that one is whole whenever a process is killed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run_fault::RunFault;
use crate::store::state::State;

/// States that are kept.
const N_KEPT: usize = 2;

/// The folder of a run's states.
#[derive(Debug)]
pub struct States {
    folder: PathBuf,
    run: PathBuf,
}

impl States {
    /// The states of a run.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn of(run: &Path) -> Result<Self, RunFault> {
        let folder = run.join("state");
        fs::create_dir_all(&folder).map_err(RunFault::io("make", &folder))?;
        Ok(Self { folder, run: run.to_owned() })
    }

    /// Writes a state and removes those before the last two.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn add(&self, state: &State<'_>) -> Result<(), RunFault> {
        let path = self.folder.join(format!("step-{:09}.safetensors", state.kept.step));
        state.write(&path)?;
        let all = self.all()?;
        let older = all.len().saturating_sub(N_KEPT);
        all[..older].iter().try_for_each(|path| fs::remove_file(path).map_err(RunFault::io("remove", path)))
    }

    /// The last state that is whole; `None` where there is none yet. A damaged one after it is removed, since the run makes it again.
    ///
    /// # Errors
    /// There are states, and all of them are damaged.
    pub fn last(&self) -> Result<Option<State<'static>>, RunFault> {
        let mut damaged = Vec::new();
        for path in self.all()?.into_iter().rev() {
            match State::read(&path) {
                Ok(state) => {
                    let remove = |(path, _): &(PathBuf, RunFault)| {
                        fs::remove_file(path).map_err(RunFault::io("remove", path))
                    };
                    damaged.iter().try_for_each(remove)?;
                    return Ok(Some(state));
                }
                Err(fault) => damaged.push((path, fault)),
            }
        }
        match damaged.into_iter().next() {
            Some((_, fault)) => {
                Err(RunFault::NoState { path: self.run.display().to_string(), what: fault.to_string() })
            }
            None => Ok(None),
        }
    }

    /// All states, oldest first; what a killed process has left of one is removed.
    fn all(&self) -> Result<Vec<PathBuf>, RunFault> {
        let failed = || RunFault::io("read", &self.folder);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed())? {
            let path = entry.map_err(failed())?.path();
            match path.extension().is_some_and(|extension| extension == "safetensors") {
                true => found.push(path),
                false => fs::remove_file(&path).map_err(RunFault::io("remove", &path))?,
            }
        }
        found.sort();
        Ok(found)
    }
}
