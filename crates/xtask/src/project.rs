//! The project itself: where its root is, which crates it may have, on which layer each stands.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// A crate folder of `crates/` and its place in the one-way arrow.
pub(crate) struct CrateRow {
    pub(crate) name: &'static str,
    /// `None`: stands beside the layers; nothing depends on it and it depends on no other crate.
    pub(crate) layer: Option<u8>,
    /// Whether it must compile for `wasm32-unknown-unknown`.
    pub(crate) browser: bool,
}

const fn native(name: &'static str, layer: u8) -> CrateRow {
    CrateRow { name, layer: Some(layer), browser: false }
}

const fn browser(name: &'static str, layer: u8) -> CrateRow {
    CrateRow { name, layer: Some(layer), browser: true }
}

/// Every crate that the design knows. A crate depends only on crates of a lower layer.
pub(crate) const CRATES: &[CrateRow] = &[
    browser("tensor", 0),
    browser("plan", 1),
    browser("text", 1),
    browser("weights", 1),
    browser("shaders", 1),
    browser("backend-cpu", 2),
    browser("backend-wgpu", 2),
    native("backend-cuda", 2),
    browser("model", 3),
    browser("engine", 4),
    native("compress", 4),
    native("train", 6),
    native("corpus", 6),
    native("eval", 5),
    native("demo-model", 5),
    // A browser has it without its default features, as a part of `wasm`.
    native("hala", 7),
    native("serve", 8),
    native("cli", 9),
    browser("wasm", 9),
    native("ffi", 9),
    CrateRow { name: "xtask", layer: None, browser: false },
];

/// The crates that a browser's module is made of.
pub(crate) fn of_browsers() -> impl Iterator<Item = &'static CrateRow> {
    CRATES.iter().filter(|row| row.browser || row.name == PRODUCT)
}

/// The folder and the package of the crate that apps depend on.
const PRODUCT: &str = "hala";

/// Whether a package is one of the project's.
pub(crate) fn is_own(package: &str) -> bool {
    package == PRODUCT || package.starts_with("hala-")
}

/// The row of `hala-NAME` or of plain `NAME`.
pub(crate) fn crate_row(name: &str) -> Option<&'static CrateRow> {
    let folder = name.strip_prefix("hala-").unwrap_or(name);
    CRATES.iter().find(|row| row.name == folder)
}

/// `tensor` and `hala-tensor` both name the package `hala-tensor`; the crate that apps depend on is `hala` itself.
pub(crate) fn package_name(name: &str) -> String {
    if is_own(name) { name.to_owned() } else { format!("hala-{name}") }
}

/// The checkout that this run works on.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
}

impl Project {
    /// The workspace that holds this crate, found at run time so that a moved checkout still works.
    pub(crate) fn find() -> Result<Self> {
        let here = std::env::current_dir().context("the current folder cannot be read")?;
        let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let start = manifest_dir.as_deref().unwrap_or(&here);
        let root = start.ancestors().find(|folder| folder.join("crates/xtask/Cargo.toml").is_file());
        let root = root.with_context(|| {
            format!("{} is not inside the project; run `cargo xtask` from its checkout", start.display())
        })?;
        Ok(Project { root: root.to_owned() })
    }

    /// `cargo`, the very one that runs this task, in the root.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }

    /// Cargo's target folder.
    pub(crate) fn target(&self) -> PathBuf {
        let chosen = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
        self.root.join(Path::new(&chosen))
    }

    /// Whether `crates/NAME` exists yet.
    pub(crate) fn has_crate(&self, name: &str) -> bool {
        self.root.join("crates").join(name).join("Cargo.toml").is_file()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_found_by_folder_and_by_package_name() {
        assert_eq!(crate_row("hala-plan").and_then(|row| row.layer), Some(1));
        assert_eq!(crate_row("plan").and_then(|row| row.layer), Some(1));
        assert!(crate_row("hala-nothing").is_none());
        assert_eq!(package_name("plan"), package_name("hala-plan"));
        assert_eq!(
            (package_name("hala").as_str(), crate_row("hala").map(|row| row.name)),
            ("hala", Some("hala"))
        );
    }

    #[test]
    fn the_root_holds_the_workspace_manifest() {
        let project = Project::find().unwrap();
        assert!(project.root.join("Cargo.lock").is_file());
        assert!(project.has_crate("xtask"));
    }
}
