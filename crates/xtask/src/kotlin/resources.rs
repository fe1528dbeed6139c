//! Android's resources and manifests, read by its own tool, and the class R that code names them by.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::needs::FRAMEWORK;
use crate::process;
use crate::project::Project;

/// Attributes of manifests that Android has had only since then. The tool would know no such name, so it reads the manifest without them.
const NEWER: &[&str] =
    &["android:dataExtractionRules", "android:localeConfig", "android:enableOnBackInvokedCallback"];

/// The file that lists a module's resources, for those that stand on it.
pub(super) const SYMBOLS: &str = "R.txt";

/// A module with a manifest and resources.
pub(super) struct Module {
    /// Its folder in the project.
    pub(super) folder: &'static str,
    /// The package of its R, as in its Gradle file.
    pub(super) package: &'static str,
}

/// Makes the sources of the R of a module, with the resources of those it stands on; `None` where the tool refuses something.
pub(super) fn r_class(
    project: &Project,
    module: &Module,
    under: &[&Module],
    to: &Path,
) -> Result<Option<PathBuf>> {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).with_context(|| format!("{} cannot be made", to.display()))?;
    let mut link = Command::new("aapt2");
    link.args([
        "link",
        "-I",
        FRAMEWORK,
        "--auto-add-overlay",
        "--min-sdk-version",
        "26",
        "--target-sdk-version",
        "36",
    ]);
    // A library's resources get their numbers in the app that it is in, so no code may hold those of here.
    link.arg("--non-final-ids");
    link.arg("--manifest").arg(manifest(project, module, to)?);
    link.arg("--output-text-symbols").arg(to.join(SYMBOLS));
    link.arg("--java").arg(to.join("java")).arg("-o").arg(to.join("resources.apk"));
    for part in under.iter().chain([&module]) {
        let packed = to.join(format!("{}.zip", part.package));
        let mut compile = Command::new("aapt2");
        compile.args(["compile", "--dir"]).arg(project.root.join(part.folder).join("src/main/res"));
        if !process::show(compile.arg("-o").arg(&packed))? {
            return Ok(None);
        }
        link.arg("-R").arg(packed);
    }
    let packages: Vec<_> = under.iter().map(|part| part.package).collect();
    if !packages.is_empty() {
        link.arg("--extra-packages").arg(packages.join(":"));
    }
    Ok(process::show(&mut link)?.then(|| to.join("java")))
}

/// The module's manifest as Gradle would hand it on: with its package, and here without what is newer than the tool.
fn manifest(project: &Project, module: &Module, to: &Path) -> Result<PathBuf> {
    let file = project.root.join(module.folder).join("src/main/AndroidManifest.xml");
    let text =
        std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let copy = to.join("AndroidManifest.xml");
    std::fs::write(&copy, adapted(&text, module.package))
        .with_context(|| format!("{} cannot be written", copy.display()))?;
    Ok(copy)
}

fn adapted(manifest: &str, package: &str) -> String {
    let kept = manifest.lines().filter_map(|line| {
        let is_newer = NEWER.iter().any(|name| line.trim_start().starts_with(name));
        // An attribute that ends its element leaves that end behind.
        match line.trim_end() {
            _ if !is_newer => Some(line),
            end if end.ends_with("/>") => Some("/>"),
            end if end.ends_with('>') => Some(">"),
            _ => None,
        }
    });
    let text = kept.collect::<Vec<_>>().join("\n");
    text.replacen("<manifest ", &format!("<manifest package=\"{package}\" "), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_gets_its_package_and_loses_what_is_newer_than_the_tool() {
        let manifest = "<manifest xmlns:android=\"a\">\n<application\n  android:localeConfig=\"@xml/a\"\n  android:dataExtractionRules=\"@xml/b\">\n</application>";
        let expected = "<manifest package=\"org.x\" xmlns:android=\"a\">\n<application\n>\n</application>";
        assert_eq!(adapted(manifest, "org.x"), expected);
    }
}
