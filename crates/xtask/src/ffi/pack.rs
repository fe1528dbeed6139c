//! The folder that is packed: header, libraries, what finds them, and what must be told to whoever gets them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::compile::{Compiled, Profile, Wanted};
use super::system::{Names, System, Version};
use super::{finders, link, notices, symbols};
use crate::need;
use crate::project::Project;

/// The card of the model that is built in, which has its attributions.
pub(crate) const CARD: &str = "crates/demo-model/files/README.md";

/// Headers of C and C++.
pub(crate) const HEADERS: &str = "crates/ffi/include";

/// What is packed, from what, and to where.
pub(super) struct Packing<'a> {
    pub(super) project: &'a Project,
    pub(super) wanted: &'a Wanted,
    pub(super) compiled: &'a Compiled,
    pub(super) folder: &'a Path,
}

impl Packing<'_> {
    /// Fills the folder anew; false where the linker fails.
    pub(super) fn pack(&self) -> Result<bool> {
        let version = version(self.project)?;
        let target = self.wanted.target_name()?;
        let names = System::of(&target).names(&version);
        clear(self.folder)?;
        self.headers()?;
        if !self.libraries(&names)? {
            return Ok(false);
        }
        finders::Finders {
            names: &names,
            version: &version,
            features: &self.wanted.features,
            system_libraries: &self.compiled.system_libraries,
            pointer_bytes: pointer_bytes(&target)?,
        }
        .write(&self.project.root, self.folder)?;
        self.notices()?;
        Ok(true)
    }

    fn headers(&self) -> Result<()> {
        let from = self.project.root.join(HEADERS);
        for entry in std::fs::read_dir(&from).with_context(|| format!("{} cannot be read", from.display()))? {
            let file = entry?.path();
            copy(&file, &self.folder.join("include").join(file.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }

    fn libraries(&self, names: &Names) -> Result<bool> {
        let shared = self.folder.join(&names.shared);
        let fixed = self.folder.join("lib").join(names.fixed);
        copy(&self.compiled.fixed, &fixed)?;
        if self.compiled.shared.is_none() && self.wanted.profile == Profile::Native {
            link::keep_apart(&fixed)?;
        }
        make_parent(&shared)?;
        match &self.compiled.shared {
            Some(file) => copy(file, &shared)?,
            None if !link::link(self.compiled, names, self.wanted.profile, &shared)? => return Ok(false),
            None => symbols::only_declared(&shared, &header(self.project)?)?,
        }
        if let Some(import) = names.import {
            let made = self.compiled.shared.as_ref().map(|file| file.with_file_name(import));
            copy(
                &made.context("an import library without its library")?,
                &self.folder.join("lib").join(import),
            )?;
        }
        names.links.iter().try_for_each(|name| link_to(&shared, name))?;
        Ok(true)
    }

    fn notices(&self) -> Result<()> {
        copy(&self.project.root.join("LICENSE"), &self.folder.join("LICENSE"))?;
        notices::write(self.project, self.wanted, &self.folder.join("NOTICES.txt"))?;
        if self.wanted.features.contains(&"built-in") {
            copy(&self.project.root.join(CARD), &self.folder.join("BUILT-IN-MODEL.md"))?;
        }
        Ok(())
    }
}

/// The library's version, and that of the interface as its header has it.
pub(super) fn version(project: &Project) -> Result<Version> {
    let header = header(project)?;
    let interface = header.lines().find_map(|line| line.strip_prefix("#define HALA_ABI_VERSION "));
    let interface = interface.context("hala.h defines no HALA_ABI_VERSION")?.trim().to_owned();
    // All of the project has one version.
    Ok(Version { library: env!("CARGO_PKG_VERSION").to_owned(), interface })
}

fn header(project: &Project) -> Result<String> {
    let path = project.root.join(HEADERS).join("hala.h");
    std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))
}

/// Removes what an earlier call has packed, and nothing that it has not.
fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        let is_packed = folder.join("include/hala.h").is_file();
        let is_empty = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
        ensure!(is_packed || is_empty, "{} holds something else; give another folder", folder.display());
        for part in ["include", "lib", "bin"].map(|part| folder.join(part)) {
            if part.exists() {
                std::fs::remove_dir_all(&part)
                    .with_context(|| format!("{} cannot be removed", part.display()))?;
            }
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    make_parent(to)?;
    std::fs::copy(from, to)
        .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
    Ok(())
}

fn make_parent(file: &Path) -> Result<()> {
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))
}

/// A link beside the file, so that the folder may be moved.
#[cfg(unix)]
fn link_to(file: &Path, name: &str) -> Result<()> {
    let link: PathBuf = file.with_file_name(name);
    std::os::unix::fs::symlink(file.file_name().unwrap_or_default(), &link)
        .with_context(|| format!("{} cannot be made", link.display()))
}

#[cfg(not(unix))]
fn link_to(file: &Path, name: &str) -> Result<()> {
    copy(file, &PathBuf::from(file).with_file_name(name))
}

fn pointer_bytes(target: &str) -> Result<usize> {
    let settings = need::rustc_prints(&["cfg", "--target", target])?;
    let width =
        settings.lines().find_map(|line| line.strip_prefix("target_pointer_width=\"")?.strip_suffix('"'));
    let bits: usize = width
        .and_then(|width| width.parse().ok())
        .with_context(|| format!("rustc tells no width of {target}'s pointers"))?;
    Ok(bits / 8)
}
