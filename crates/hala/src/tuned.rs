//! Measured choices of kernels in the user's folder for caches, and how a GPU gets them.

use std::io::Write;
use std::path::{Path, PathBuf};

use hala_backend_wgpu::{Choices, WgpuBackend};
use hala_plan::Backend;
use hala_weights::WholeFile;

use crate::error::Error;
use crate::event::{Notice, Unused};

/// Gives a GPU the choices that were measured for it; tells where a file of them is of no use.
pub(crate) fn apply(gpu: &WgpuBackend) -> Option<Notice> {
    let path = path(gpu)?;
    let reason = match choices_in(&path)?.map(|choices| gpu.use_choices(choices)) {
        Ok(true) => return None,
        Ok(false) => Unused::Outdated,
        Err(_) => Unused::Damaged,
    };
    Some(Notice::TunedUnused { path, reason })
}

/// The file's choices as they are now, since another program may have written it, where it has some for this device; for adding to them.
pub(crate) fn read(gpu: &WgpuBackend) -> Choices {
    let origin = gpu.origin();
    let found = path(gpu).and_then(|path| choices_in(&path)?.ok());
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
pub(crate) fn write(gpu: &WgpuBackend, choices: &Choices) -> Result<PathBuf, Error> {
    let nowhere =
        || Error::Keeping { reason: "there is no folder for caches: name one in XDG_CACHE_HOME".to_owned() };
    let path = path(gpu).ok_or_else(nowhere)?;
    let refused = |error: std::io::Error| Error::Keeping { reason: format!("`{}`: {error}", path.display()) };
    replace(&path, choices).map_err(refused)?;
    Ok(path)
}

fn replace(path: &Path, choices: &Choices) -> std::io::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(path))?;
    let mut file = WholeFile::create(path)?;
    file.write_all(&serde_json::to_vec_pretty(choices)?)?;
    file.finish()
}

/// The file of a device.
fn path(gpu: &WgpuBackend) -> Option<PathBuf> {
    let name = format!("{}.json", file_stem(&gpu.device().name));
    Some(folder(|name| std::env::var(name).ok(), std::env::home_dir())?.join("hala").join("tuned").join(name))
}

/// The user's folder for caches.
fn folder(lookup: impl Fn(&str) -> Option<String>, home: Option<PathBuf>) -> Option<PathBuf> {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = || match () {
        () if cfg!(windows) => set("LOCALAPPDATA"),
        () if cfg!(target_os = "macos") => Some(home?.join("Library").join("Caches")),
        () => Some(home?.join(".cache")),
    };
    set("XDG_CACHE_HOME").or_else(own)
}

/// A device's name in small letters, digits and dashes.
fn file_stem(device: &str) -> String {
    let words = device.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_s_file_has_its_name() {
        let name = "llvmpipe (LLVM 15.0.6, 256 bits) (software, vulkan)";
        assert_eq!(file_stem(name), "llvmpipe-llvm-15-0-6-256-bits-software-vulkan");
        assert_eq!(file_stem("../../x/ "), "x");
    }

    #[test]
    fn the_folder_is_the_user_s_own_for_caches() {
        let nobody = |_: &str| None;
        let xdg = |name: &str| (name == "XDG_CACHE_HOME").then(|| "xdg".to_owned());
        assert_eq!(folder(xdg, None), Some(PathBuf::from("xdg")));
        assert_eq!(folder(nobody, None), None);
        #[cfg(target_os = "linux")]
        {
            assert_eq!(folder(nobody, Some("me".into())), Some(PathBuf::from("me/.cache")));
            assert_eq!(folder(|_| Some(String::new()), Some("me".into())), Some("me/.cache".into()));
        }
    }
}
