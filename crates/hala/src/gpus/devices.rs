//! The GPUs of this machine, what `auto` makes of each, and how what is remembered of them is forgotten.

use serde::Serialize;

use super::ledger::{Ledger, Verdict};
use super::taken::faulty;
use crate::device::{DeviceOptions, LooksAt};
use crate::error::Error;
use crate::unfit::Unfit;

/// A GPU of this machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceReport {
    /// Its name, with its kind and the interface that it is reached through.
    pub device: String,
    /// `discrete`, `integrated`, `virtual`, `software` or `unknown`.
    pub kind: &'static str,
    /// Its driver.
    pub driver: String,
    /// Whether a model's first run on it ended well, with this driver and this version of Hala.
    pub has_passed: bool,
    /// Why `auto` leaves it alone, whatever the model; `None` where it takes it.
    pub unfit: Option<Unfit>,
    /// The same in words.
    pub reason: Option<String>,
    /// What was found for single models.
    pub models: Vec<ModelReport>,
}

/// What was found for a model on a GPU.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelReport {
    /// Family, layers and width, vocabulary, how it is held, and bytes of its weights.
    pub model: String,
    /// Why the CPU runs it; `None` where the GPU does.
    pub unfit: Option<Unfit>,
    /// What was found, in words.
    pub reason: String,
}

impl ModelReport {
    fn new(model: String, verdict: Verdict) -> Self {
        match verdict {
            Verdict::Unfit(unfit) => Self { model, reason: unfit.to_string(), unfit: Some(unfit) },
            Verdict::Faster { gpu_seconds, cpu_seconds } => {
                let [gpu, cpu] = [gpu_seconds, cpu_seconds].map(f64::recip);
                let reason = format!("it decodes {gpu:.1} tokens a second, and the CPU {cpu:.1}");
                Self { model, reason, unfit: None }
            }
        }
    }
}

/// The GPUs of this machine, the best first, and what `auto` makes of each.
pub async fn devices(options: &DeviceOptions) -> Vec<DeviceReport> {
    let is_software_welcome = options.looks_at == LooksAt::All;
    let mut reports = Vec::new();
    for found in hala_backend_wgpu::found().await {
        let ledger = Ledger::new(found.origin(), options.folder.as_deref());
        let kept = ledger.read();
        let unfit = faulty(&found.report, is_software_welcome).or(kept.unfit);
        reports.push(DeviceReport {
            device: ledger.device().to_owned(),
            kind: found.report.kind,
            driver: found.report.driver,
            has_passed: kept.has_passed,
            reason: unfit.as_ref().map(Unfit::to_string),
            unfit,
            models: kept
                .models
                .into_iter()
                .map(|(model, verdict)| ModelReport::new(model, verdict))
                .collect(),
        });
    }
    reports
}

/// Forgets what was found out about GPUs, so that each is tried as if it were new; gives the number of files that are gone. What was measured of
/// kernels stays.
///
/// # Errors
/// A file that cannot be removed.
pub fn forget_devices(options: &DeviceOptions) -> Result<usize, Error> {
    let Some(folder) = Ledger::folder(options.folder.as_deref()) else { return Ok(0) };
    let Ok(files) = std::fs::read_dir(&folder) else { return Ok(0) };
    let mut n_removed = 0;
    for file in files.flatten() {
        let path = file.path();
        let refused =
            |error: std::io::Error| Error::Keeping { reason: format!("`{}`: {error}", path.display()) };
        std::fs::remove_file(&path).map_err(refused)?;
        n_removed += 1;
    }
    Ok(n_removed)
}
