//! The folder of a run: what it is the run of, and where its parts lie.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use hala_weights::WholeFile;
use serde::{Deserialize, Serialize};

use crate::config::TrainConfig;
use crate::run_fault::RunFault;
use crate::store::Lock;

/// What a run is known again by.
const RUN: &str = "run.json";
const METRICS: &str = "metrics.jsonl";
const STATE: &str = "state";
/// How folders of checkpoints begin.
const STEP: &str = "step-";

/// A run's folder, held by its lock.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    _lock: Lock,
}

/// What `run.json` says.
#[derive(Debug, Serialize, Deserialize)]
struct Run {
    version: String,
    config: TrainConfig,
}

impl RunFolder {
    /// Opens the folder that a config names, or makes it. With `restart` what an earlier run has left is removed.
    ///
    /// # Errors
    /// The folder belongs to something else, to a run with other settings, or to another process.
    pub fn open(config: &TrainConfig, restart: bool) -> Result<Self, RunFault> {
        let path = config.output.clone();
        let is_run = path.join(RUN).exists();
        if !is_run && !is_free(&path)? {
            return Err(RunFault::NotARun { path: path.display().to_string() });
        }
        fs::create_dir_all(&path).map_err(RunFault::io("make", &path))?;
        let folder = Self { _lock: Lock::take(&path)?, path };
        // Where nothing was kept yet, as where the data could not be read, there is nothing to be mistaken for.
        if is_run && (restart || !folder.has_state()?) {
            folder.clear()?;
        } else if is_run {
            folder.check(config)?;
        }
        folder.write(config)?;
        Ok(folder)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where metrics are.
    #[must_use]
    pub fn metrics(&self) -> PathBuf {
        self.path.join(METRICS)
    }

    /// The metrics of a run that may still go on.
    #[must_use]
    pub fn metrics_of(run: &Path) -> PathBuf {
        run.join(METRICS)
    }

    /// Where the best checkpoint is.
    #[must_use]
    pub fn best(&self) -> PathBuf {
        self.path.join("best")
    }

    /// Where the model is in the end.
    #[must_use]
    pub fn last(&self) -> PathBuf {
        self.path.join("final")
    }

    /// Where the checkpoint after a step is.
    #[must_use]
    pub fn step(&self, step: u64) -> PathBuf {
        self.path.join(format!("{STEP}{step}"))
    }

    /// The checkpoints that are there, oldest first.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn steps(&self) -> Result<Vec<PathBuf>, RunFault> {
        let mut found = Vec::new();
        for name in names(&self.path)? {
            if let Some(step) = name.strip_prefix(STEP).and_then(|step| step.parse::<u64>().ok()) {
                found.push((step, self.path.join(&name)));
            }
        }
        found.sort();
        Ok(found.into_iter().map(|(_, path)| path).collect())
    }

    /// Removes all checkpoints but the last `n`.
    ///
    /// # Errors
    /// One cannot be removed.
    pub fn keep_last(&self, n: usize) -> Result<(), RunFault> {
        let steps = self.steps()?;
        let older = steps.len().saturating_sub(n);
        steps[..older]
            .iter()
            .try_for_each(|path| fs::remove_dir_all(path).map_err(RunFault::io("remove", path)))
    }

    fn has_state(&self) -> Result<bool, RunFault> {
        let states = self.path.join(STATE);
        Ok(states.exists() && !names(&states)?.is_empty())
    }

    /// Compares the settings with those that the run began with.
    fn check(&self, config: &TrainConfig) -> Result<(), RunFault> {
        let path = self.path.join(RUN);
        let text = fs::read_to_string(&path).map_err(RunFault::io("read", &path))?;
        let run: Run = serde_json::from_str(&text).map_err(|e| RunFault::damaged(&path, e))?;
        match run.config.difference(config) {
            Some([setting, was, now]) => {
                Err(RunFault::OtherRun { path: self.path.display().to_string(), setting, was, now })
            }
            None => Ok(()),
        }
    }

    fn write(&self, config: &TrainConfig) -> Result<(), RunFault> {
        let path = self.path.join(RUN);
        let run = Run { version: env!("CARGO_PKG_VERSION").to_owned(), config: config.clone() };
        let text = serde_json::to_string_pretty(&run).map_err(|e| RunFault::damaged(&path, e))? + "\n";
        let mut file = WholeFile::create(&path).map_err(RunFault::io("write", &path))?;
        file.write_all(text.as_bytes()).and_then(|()| file.finish()).map_err(RunFault::io("write", &path))
    }

    /// Removes what a run makes. States go first: whatever of it a killed process leaves, a run begins anew with it.
    fn clear(&self) -> Result<(), RunFault> {
        let mut parts = vec![self.path.join(STATE), self.last(), self.best(), self.metrics()];
        parts.extend(self.steps()?);
        for path in parts.into_iter().filter(|path| path.exists()) {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(RunFault::io("remove", &path))?;
        }
        Ok(())
    }
}

/// Whether nothing is there, or only what a process that was killed at once has left.
fn is_free(path: &Path) -> Result<bool, RunFault> {
    if path.exists() && !path.is_dir() {
        return Ok(false);
    }
    Ok(!path.exists() || names(path)?.iter().all(|name| name.starts_with('.')))
}

fn names(folder: &Path) -> Result<Vec<String>, RunFault> {
    let failed = || RunFault::io("read", folder);
    let entries = fs::read_dir(folder).map_err(failed())?;
    entries.map(|entry| Ok(entry.map_err(failed())?.file_name().to_string_lossy().into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn config(output: &Path, seed: u64) -> TrainConfig {
        let text = format!("model: m\ndata: [a.txt]\nsteps: 1\nseed: {seed}\noutput: {}", output.display());
        TrainConfig::resolve(Settings::parse("t.yml", &text).unwrap()).unwrap()
    }

    #[test]
    fn a_folder_is_of_one_run_and_of_one_process() {
        let all = tempfile::tempdir().unwrap();
        let out = all.path().join("run");
        let one = config(&out, 1);
        let held = RunFolder::open(&one, false).unwrap();
        assert!(matches!(RunFolder::open(&one, false), Err(RunFault::Busy { .. })));
        drop(held);
        // Nothing was made yet: other settings take its place, and are taken back.
        drop(RunFolder::open(&config(&out, 2), false).unwrap());
        drop(RunFolder::open(&one, false).unwrap());
        fs::create_dir(out.join(STATE)).unwrap();
        fs::write(out.join(STATE).join("step-1.safetensors"), "").unwrap();
        let error = RunFolder::open(&config(&out, 2), false).unwrap_err().to_string();
        assert!(error.contains("`seed` was 1 and is 2") && error.contains("--restart"), "{error}");
        fs::create_dir(out.join("step-7")).unwrap();
        fs::write(out.join("mine.txt"), "").unwrap();
        drop(RunFolder::open(&one, false).unwrap());
        assert!(out.join("step-7").exists());
        drop(RunFolder::open(&config(&out, 2), true).unwrap());
        assert!(!out.join("step-7").exists() && out.join("mine.txt").exists());
    }

    #[test]
    fn what_is_no_run_is_left_alone() {
        let all = tempfile::tempdir().unwrap();
        fs::write(all.path().join("thesis.txt"), "").unwrap();
        assert!(matches!(RunFolder::open(&config(all.path(), 1), true), Err(RunFault::NotARun { .. })));
        let file = all.path().join("thesis.txt");
        assert!(matches!(RunFolder::open(&config(&file, 1), true), Err(RunFault::NotARun { .. })));
    }
}
