//! What is remembered of one GPU, in a file of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hala_backend_wgpu::Origin;
use serde::{Deserialize, Serialize};

use super::folder;
use crate::unfit::Unfit;

/// Starts without a GPU after which one whose first run ended in the middle is tried once more: a program is also ended by its user, or by a
/// phone that wants its memory.
const STARTS_BEFORE_RETRY: u32 = 10;

/// What is remembered of a GPU with its driver and this version of Hala; with another of them nothing of it counts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Remembered {
    /// What all of it stands for.
    pub(crate) origin: Origin,
    /// Whether a model's first run ended well.
    pub(crate) has_passed: bool,
    /// Why the GPU is left alone, whatever the model.
    pub(crate) unfit: Option<Unfit>,
    /// First runs that ended in the middle.
    pub(crate) n_deaths: u32,
    /// Starts without the GPU since.
    pub(crate) n_starts: u32,
    /// By [`ModelClass::key`](super::model_class::ModelClass::key): what was found for one model alone.
    pub(crate) models: BTreeMap<String, Verdict>,
}

/// What was found for one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Verdict {
    /// The GPU decodes it faster than the CPU, or about as fast.
    Faster {
        /// Seconds of the GPU for a token.
        gpu_seconds: f64,
        /// Seconds of the CPU for a token.
        cpu_seconds: f64,
    },
    /// The CPU runs it.
    Unfit(Unfit),
}

impl Remembered {
    /// Whether the GPU is tried once more, although its first run ended in the middle.
    fn is_due(&self) -> bool {
        matches!(self.unfit, Some(Unfit::Died { .. }))
            && self.n_deaths == 1
            && self.n_starts >= STARTS_BEFORE_RETRY
    }

    /// Why the GPU is left alone for a model, or whatever the model.
    pub(crate) fn unfit_for(&self, model: Option<&str>) -> Option<Unfit> {
        let of_model = model.and_then(|model| match self.models.get(model) {
            Some(Verdict::Unfit(unfit)) => Some(unfit.clone()),
            _ => None,
        });
        self.unfit.clone().or(of_model)
    }
}

/// The file of one GPU.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    origin: Origin,
    /// `None` where there is no folder to keep anything in.
    folder: Option<PathBuf>,
}

impl Ledger {
    /// Of a GPU, in the folder that the app gave or the user's own.
    pub(crate) fn new(origin: Origin, given: Option<&Path>) -> Self {
        Self { origin, folder: Self::folder(given) }
    }

    /// Where the files of all GPUs are.
    pub(crate) fn folder(given: Option<&Path>) -> Option<PathBuf> {
        Some(folder::kept_in(given)?.join("devices"))
    }

    /// The GPU.
    pub(crate) fn device(&self) -> &str {
        &self.origin.device
    }

    /// The GPU with its driver, and this version of Hala.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// A file beside the GPU's own.
    pub(crate) fn file(&self, extension: &str) -> Option<PathBuf> {
        let name = format!("{}.{extension}", folder::file_stem(&self.origin.device));
        Some(self.folder.as_ref()?.join(name))
    }

    /// What is remembered; nothing where there is no file, a damaged one, or one of another driver or version.
    pub(crate) fn read(&self) -> Remembered {
        let read = || serde_json::from_slice(&std::fs::read(self.file("json")?).ok()?).ok();
        let kept = read().filter(|kept: &Remembered| kept.origin == self.origin);
        kept.unwrap_or_else(|| Remembered { origin: self.origin.clone(), ..Remembered::default() })
    }

    /// Remembers more. Where the file cannot be written, the next start finds out once more.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Remembered)) {
        let Some(path) = self.file("json") else { return };
        let mut kept = self.read();
        change(&mut kept);
        let _ = folder::replace(&path, &kept);
    }

    /// Remembers why the GPU is left alone: for a model, or for all where none is named.
    pub(crate) fn leave_alone(&self, model: Option<&str>, unfit: Unfit) {
        self.change(|kept| match model {
            Some(model) => drop(kept.models.insert(model.to_owned(), Verdict::Unfit(unfit))),
            None => kept.unfit = Some(unfit),
        });
    }

    /// Remembers that the program ended in the middle of the first run.
    pub(crate) fn note_death(&self, unfit: &Unfit) {
        self.change(|kept| {
            kept.unfit = Some(unfit.clone());
            (kept.n_deaths, kept.n_starts) = (kept.n_deaths + 1, 0);
        });
    }

    /// Why the GPU is left alone at this start, which counts as one without it.
    pub(crate) fn unfit_now(&self, model: Option<&str>) -> Option<Unfit> {
        let kept = self.read();
        if kept.is_due() {
            return None;
        }
        if matches!(kept.unfit, Some(Unfit::Died { .. })) {
            self.change(|kept| kept.n_starts = kept.n_starts.saturating_add(1));
        }
        kept.unfit_for(model)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;
    use crate::unfit::Stage;

    fn origin(driver: &str) -> Origin {
        Origin { device: "A GPU".to_owned(), driver: driver.to_owned(), ..Origin::default() }
    }

    const DIED: Unfit = Unfit::Died { stage: Stage::FirstRun };

    #[test]
    fn what_was_found_counts_for_its_driver_alone() {
        let folder = tempdir().unwrap();
        let ledger = |driver| Ledger::new(origin(driver), Some(folder.path()));
        let wrong = Unfit::WrongResults { found: "x".to_owned() };
        ledger("1").leave_alone(None, wrong.clone());
        assert_eq!(ledger("1").unfit_now(None), Some(wrong));
        assert_eq!(ledger("2").unfit_now(None), None);
        ledger("2").change(|kept| kept.has_passed = true);
        assert_eq!((ledger("2").read().has_passed, ledger("1").unfit_now(None)), (true, None));
    }

    #[test]
    fn what_was_found_for_one_model_says_nothing_of_others() {
        let folder = tempdir().unwrap();
        let ledger = Ledger::new(origin("1"), Some(folder.path()));
        ledger.leave_alone(Some("large"), Unfit::Refused { reason: "no memory".to_owned() });
        let faster = Verdict::Faster { gpu_seconds: 0.1, cpu_seconds: 0.2 };
        ledger.change(|kept| drop(kept.models.insert("small".to_owned(), faster)));
        assert!(ledger.unfit_now(Some("large")).is_some());
        assert_eq!([ledger.unfit_now(Some("small")), ledger.unfit_now(None)], [None, None]);
    }

    #[test]
    fn a_first_run_that_ended_in_the_middle_is_tried_once_more_and_then_no_more() {
        let folder = tempdir().unwrap();
        let ledger = Ledger::new(origin("1"), Some(folder.path()));
        ledger.note_death(&DIED);
        for _ in 0..STARTS_BEFORE_RETRY {
            assert_eq!(ledger.unfit_now(None), Some(DIED));
        }
        assert_eq!(ledger.unfit_now(None), None);
        ledger.note_death(&DIED);
        for _ in 0..3 * STARTS_BEFORE_RETRY {
            assert_eq!(ledger.unfit_now(None), Some(DIED));
        }
    }

    #[test]
    fn a_damaged_file_is_as_none() {
        let folder = tempdir().unwrap();
        let ledger = Ledger::new(origin("1"), Some(folder.path()));
        ledger.leave_alone(None, DIED);
        std::fs::write(ledger.file("json").unwrap(), "{").unwrap();
        assert_eq!(ledger.read(), Remembered { origin: origin("1"), ..Remembered::default() });
    }
}
