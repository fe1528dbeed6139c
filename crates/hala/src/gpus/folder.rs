//! The folder in which what is known of GPUs is kept, and its files.

use std::io::Write;
use std::path::{Path, PathBuf};

use hala_weights::WholeFile;
use serde::Serialize;

/// The folder that the app gave, or else Hala's in the user's folder for caches; `None` where there is neither.
pub(crate) fn kept_in(given: Option<&Path>) -> Option<PathBuf> {
    let own = || Some(caches(|name| std::env::var(name).ok(), std::env::home_dir())?.join("hala"));
    given.map(Path::to_owned).or_else(own)
}

/// The user's folder for caches.
fn caches(lookup: impl Fn(&str) -> Option<String>, home: Option<PathBuf>) -> Option<PathBuf> {
    let set = |name: &str| lookup(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = || match () {
        () if cfg!(windows) => set("LOCALAPPDATA"),
        () if cfg!(target_os = "macos") => Some(home?.join("Library").join("Caches")),
        () => Some(home?.join(".cache")),
    };
    set("XDG_CACHE_HOME").or_else(own)
}

/// A device's name in small letters, digits and dashes.
pub(crate) fn file_stem(device: &str) -> String {
    let words = device.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

/// Writes a file of JSON, whole or not at all.
///
/// # Errors
/// The folder cannot be made or written.
pub(crate) fn replace(path: &Path, value: &impl Serialize) -> std::io::Result<()> {
    std::fs::create_dir_all(path.parent().unwrap_or(path))?;
    let mut file = WholeFile::create(path)?;
    file.write_all(&serde_json::to_vec_pretty(value)?)?;
    file.finish()
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
        assert_eq!(caches(xdg, None), Some(PathBuf::from("xdg")));
        assert_eq!(caches(nobody, None), None);
        #[cfg(target_os = "linux")]
        {
            assert_eq!(caches(nobody, Some("me".into())), Some(PathBuf::from("me/.cache")));
            assert_eq!(caches(|_| Some(String::new()), Some("me".into())), Some("me/.cache".into()));
        }
    }

    #[test]
    fn an_app_s_own_folder_is_taken_as_it_is() {
        assert_eq!(kept_in(Some(Path::new("app"))), Some(PathBuf::from("app")));
    }
}
