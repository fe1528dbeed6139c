//! What C and C++ in an Android app find the library by: the folder that Android's Gradle plugin hands to CMake (prefab, schema 2).

use std::path::Path;

use anyhow::{Context, Result};

use super::abi::Abi;
use super::files;
use super::link::LIBRARY;
use crate::ffi::pack::HEADERS;
use crate::project::Project;

/// The library as `find_package` and `target_link_libraries` name it: hala::hala.
const NAME: &str = "hala";

/// The NDK whose rules for C++ a user would have to follow, had the library any C++ in it.
const NDK: u32 = 28;

/// A folder to be filled.
pub(super) struct Prefab<'a> {
    pub(super) project: &'a Project,
    pub(super) folder: &'a Path,
    pub(super) level: u32,
}

impl Prefab<'_> {
    /// Writes all of it but what is of one kind of phone.
    pub(super) fn write(&self) -> Result<()> {
        let module = self.folder.join("modules").join(NAME);
        files::write(&self.folder.join("prefab.json"), &package(env!("CARGO_PKG_VERSION")))?;
        files::write(&module.join("module.json"), &module_of(LIBRARY))?;
        let headers = self.project.root.join(HEADERS);
        let entries =
            std::fs::read_dir(&headers).with_context(|| format!("{} cannot be read", headers.display()))?;
        for entry in entries {
            let header = entry?.path();
            files::copy(&header, &module.join("include").join(header.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }

    /// Adds the library of one kind of phone.
    pub(super) fn add(&self, abi: &Abi, library: &Path) -> Result<()> {
        let folder =
            self.folder.join("modules").join(NAME).join("libs").join(format!("android.{}", abi.name));
        files::write(&folder.join("abi.json"), &abi_of(abi.name, self.level))?;
        files::copy(library, &folder.join(LIBRARY))
    }
}

fn package(version: &str) -> String {
    format!(
        "{{\n  \"schema_version\": 2,\n  \"name\": \"{NAME}\",\n  \"version\": \"{version}\",\n  \"dependencies\": []\n}}\n"
    )
}

fn module_of(library: &str) -> String {
    let name = library.strip_suffix(".so").unwrap_or(library);
    format!("{{\n  \"export_libraries\": [],\n  \"library_name\": \"{name}\",\n  \"android\": {{}}\n}}\n")
}

fn abi_of(abi: &str, level: u32) -> String {
    format!(
        "{{\n  \"abi\": \"{abi}\",\n  \"api\": {level},\n  \"ndk\": {NDK},\n  \"stl\": \"none\",\n  \"static\": false\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_says_what_prefab_asks_for() {
        assert!(
            package("0.1.0").contains("\"schema_version\": 2")
                && package("0.1.0").contains("\"version\": \"0.1.0\"")
        );
        assert!(module_of("libhala.so").contains("\"library_name\": \"libhala\""));
        let abi = abi_of("x86_64", 26);
        for part in ["\"abi\": \"x86_64\"", "\"api\": 26", "\"stl\": \"none\"", "\"static\": false"] {
            assert!(abi.contains(part), "{abi}");
        }
    }
}
