//! Measured choices of kernels in the folder for what is known of GPUs, and how a GPU gets them.

use std::path::{Path, PathBuf};

use hala_backend_wgpu::{Choices, WgpuBackend};
use hala_plan::Backend;

use crate::error::Error;
use crate::event::{Notice, Unused};
use crate::gpus::folder;

/// Gives a GPU the choices that were measured for it; tells where a file of them is of no use.
pub(crate) fn apply(gpu: &WgpuBackend, given: Option<&Path>) -> Option<Notice> {
    let path = path(gpu, given)?;
    let reason = match choices_in(&path)?.map(|choices| gpu.use_choices(choices)) {
        Ok(true) => return None,
        Ok(false) => Unused::Outdated,
        Err(_) => Unused::Damaged,
    };
    Some(Notice::TunedUnused { path, reason })
}

/// The file's choices as they are now, since another program may have written it, where it has some for this device; for adding to them.
pub(crate) fn read(gpu: &WgpuBackend, given: Option<&Path>) -> Choices {
    let origin = gpu.origin();
    let found = path(gpu, given).and_then(|path| choices_in(&path)?.ok());
    let found = found.filter(|choices| choices.origin == origin);
    found.unwrap_or_else(|| Choices { origin, ..Choices::default() })
}

/// What a file has, if there is one.
fn choices_in(path: &Path) -> Option<serde_json::Result<Choices>> {
    Some(serde_json::from_slice(&std::fs::read(path).ok()?))
}

/// Writes the file, whole or not at all; gives its path.
///
/// # Errors
/// There is no folder for caches, or it cannot be written.
pub(crate) fn write(gpu: &WgpuBackend, given: Option<&Path>, choices: &Choices) -> Result<PathBuf, Error> {
    let nowhere =
        || Error::Keeping { reason: "there is no folder for caches: name one in XDG_CACHE_HOME".to_owned() };
    let path = path(gpu, given).ok_or_else(nowhere)?;
    let refused = |error: std::io::Error| Error::Keeping { reason: format!("`{}`: {error}", path.display()) };
    folder::replace(&path, choices).map_err(refused)?;
    Ok(path)
}

/// The file of a device.
fn path(gpu: &WgpuBackend, given: Option<&Path>) -> Option<PathBuf> {
    let name = format!("{}.json", folder::file_stem(&gpu.device().name));
    Some(folder::kept_in(given)?.join("tuned").join(name))
}
