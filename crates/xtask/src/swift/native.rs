//! The static library alone, as SwiftPM finds it: by pkg-config on Linux, as an XCFramework on macOS.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::slice::Slice;
use super::xcframework;
use crate::ffi;
use crate::project::Project;

/// A folder with the static library and no shared one, which a linker would prefer.
pub(super) struct Native {
    folder: PathBuf,
}

impl Native {
    /// The folder that pkg-config is to look into.
    pub(super) fn pkg_config(&self) -> PathBuf {
        self.folder.join("lib/pkgconfig")
    }
}

/// Packs the library into `folder` and takes the static one out of it; `None` where it cannot be packed, which has been told.
pub(super) fn prepare(project: &Project, folder: &Path) -> Result<Option<Native>> {
    let packed = folder.join("packed");
    if !ffi::pack_for_tests(project, &packed)? {
        return Ok(None);
    }
    if cfg!(target_os = "macos") {
        let library = Slice::of_host(packed.join("lib/libhala.a"))?;
        xcframework::write(project, &[library], &project.root.join(xcframework::FOLDER))?;
    }
    let native = Native { folder: folder.join("native") };
    let lib = native.folder.join("lib");
    std::fs::create_dir_all(native.pkg_config())
        .and_then(|()| std::fs::create_dir_all(native.folder.join("include")))
        .with_context(|| format!("{} cannot be made", native.folder.display()))?;
    copy(&packed.join("include/hala.h"), &native.folder.join("include/hala.h"))?;
    copy(&packed.join("lib/libhala.a"), &lib.join("libhala.a"))?;
    let found = packed.join("lib/pkgconfig/hala.pc");
    let text =
        std::fs::read_to_string(&found).with_context(|| format!("{} cannot be read", found.display()))?;
    let made = native.pkg_config().join("hala.pc");
    std::fs::write(&made, with_private(&text))
        .with_context(|| format!("{} cannot be written", made.display()))?;
    Ok(Some(native))
}

/// SwiftPM asks for no `Libs.private`, which a static library needs: they become part of `Libs`.
fn with_private(text: &str) -> String {
    let private =
        text.lines().find_map(|line| line.strip_prefix("Libs.private:")).unwrap_or_default().trim_end();
    let joined = |line: &str| {
        if line.starts_with("Libs:") { format!("{line}{private}\n") } else { format!("{line}\n") }
    };
    text.lines().filter(|line| !line.starts_with("Libs.private:")).map(joined).collect()
}

/// Removes the programs of an earlier build: SwiftPM does not see that the library which they were linked with has changed.
pub(super) fn forget_linked(build: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(build.join("debug")) else { return Ok(()) };
    let programs = entries.flatten().map(|entry| entry.path());
    for program in
        programs.filter(|path| path.is_file() && path.extension().is_some_and(|end| end == "xctest"))
    {
        std::fs::remove_file(&program).with_context(|| format!("{} cannot be removed", program.display()))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to)
        .with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_static_library_needs_is_linked_too() {
        let text = "prefix=${pcfiledir}/../..\nLibs: -L${libdir} -lhala\nLibs.private: -ldl -lm\n";
        assert_eq!(with_private(text), "prefix=${pcfiledir}/../..\nLibs: -L${libdir} -lhala -ldl -lm\n");
        assert_eq!(with_private("Libs: -lhala\n"), "Libs: -lhala\n");
    }
}
