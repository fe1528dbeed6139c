//! The package that an Android app depends on (AAR): its folder, filled and packed, and what must be in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::abi::Abi;
use super::files;
use super::link::LIBRARY;
use super::manifest;
use super::prefab::Prefab;
use crate::ffi::compile::Wanted;
use crate::ffi::{notices, pack};
use crate::kotlin::Part;
use crate::process;
use crate::project::Project;

/// The library's own folder in the Gradle project.
const SOURCE: &str = "android/hala";

/// What Android's Gradle plugin looks at before it takes a package: any of them may.
const METADATA: &str = "aarFormatVersion=1.0\naarMetadataVersion=1.0\nminCompileSdk=1\nminCompileSdkExtension=0\n\
    minAndroidGradlePluginVersion=1.0.0\ncoreLibraryDesugaringEnabled=false\n";
const METADATA_FILE: &str = "META-INF/com/android/build/gradle/aar-metadata.properties";

/// The files that every package has; each kind of phone has its own besides.
const MUST: &[&str] = &[
    "AndroidManifest.xml",
    "LICENSE",
    METADATA_FILE,
    "NOTICES.txt",
    "R.txt",
    "classes.jar",
    "prefab/modules/hala/include/hala.h",
    "prefab/modules/hala/include/hala.hpp",
    "prefab/modules/hala/module.json",
    "prefab/prefab.json",
    "proguard.txt",
];

/// The time that all files in the package have, so that the same files make the same package.
const TIME: &str = "1980-01-01T00:00:02+00:00";

/// The card of the built-in model.
const CARD: &str = "BUILT-IN-MODEL.md";

/// What is packed.
pub(super) struct Aar<'a> {
    pub(super) project: &'a Project,
    /// Where libraries have been linked: `jniLibs/ABI/libhala.so`, and where the rest goes.
    pub(super) folder: &'a Path,
    pub(super) abis: &'a [&'static Abi],
    pub(super) wanted: &'a Wanted,
    pub(super) kotlin: &'a Part,
    pub(super) level: u32,
}

impl Aar<'_> {
    /// Fills the folder anew and packs it into the file that is returned.
    pub(super) fn pack(&self) -> Result<PathBuf> {
        let content = self.content();
        let _ = std::fs::remove_dir_all(&content);
        self.write()?;
        let mut names = names_in(&content)?;
        names.sort();
        let file = self.folder.join("hala.aar");
        let mut jar = Command::new("jar");
        jar.args(["--create", "--no-manifest", "--date", TIME, "--file"]).arg(&file).args(&names);
        let done = process::read(jar.current_dir(&content))?;
        ensure!(done.success, "jar cannot pack {}: {}", file.display(), done.output.trim());
        Ok(file)
    }

    /// What is in the package, as files.
    pub(super) fn content(&self) -> PathBuf {
        self.folder.join("aar")
    }

    fn write(&self) -> Result<()> {
        let (content, source) = (self.content(), self.project.root.join(SOURCE));
        let manifest = source.join("src/main/AndroidManifest.xml");
        let text = std::fs::read_to_string(&manifest)
            .with_context(|| format!("{} cannot be read", manifest.display()))?;
        files::write(&content.join("AndroidManifest.xml"), &manifest::packed(&text, self.level)?)?;
        files::write(&content.join(METADATA_FILE), METADATA)?;
        files::copy(&self.kotlin.classes, &content.join("classes.jar"))?;
        files::copy(&self.kotlin.symbols, &content.join("R.txt"))?;
        files::copy(&source.join("consumer-rules.pro"), &content.join("proguard.txt"))?;
        self.resources(&source.join("src/main/res"))?;
        self.libraries()?;
        files::copy(&self.project.root.join("LICENSE"), &content.join("LICENSE"))?;
        notices::write(self.project, self.wanted, &content.join("NOTICES.txt"))?;
        if self.wanted.features.contains(&"built-in") {
            files::copy(&self.project.root.join(pack::CARD), &content.join(CARD))?;
        }
        Ok(())
    }

    fn resources(&self, from: &Path) -> Result<()> {
        names_in(from)?
            .into_iter()
            .try_for_each(|name| files::copy(&from.join(&name), &self.content().join("res").join(&name)))
    }

    /// The libraries, for Java and for C; what is for C lies beside the package too, where Gradle takes it from.
    fn libraries(&self) -> Result<()> {
        let beside = self.folder.join("prefab");
        let _ = std::fs::remove_dir_all(&beside);
        for folder in [beside, self.content().join("prefab")] {
            let prefab = Prefab { project: self.project, folder: &folder, level: self.level };
            prefab.write()?;
            for abi in self.abis {
                prefab.add(abi, &library(self.folder, abi))?;
            }
        }
        for abi in self.abis {
            files::copy(
                &library(self.folder, abi),
                &self.content().join("jni").join(abi.name).join(LIBRARY),
            )?;
        }
        Ok(())
    }

    /// All that is wrong with what the packed file lists.
    pub(super) fn faults(&self, file: &Path) -> Result<Vec<String>> {
        let done = process::read(Command::new("jar").args(["--list", "--file"]).arg(file))?;
        ensure!(done.success, "jar cannot read {}: {}", file.display(), done.output.trim());
        let names: Vec<_> = self.abis.iter().map(|abi| abi.name).collect();
        Ok(faults(&done.output, &names))
    }
}

/// Where the library for one kind of phone is linked, and where Gradle takes it from.
pub(super) fn library(folder: &Path, abi: &Abi) -> PathBuf {
    folder.join("jniLibs").join(abi.name).join(LIBRARY)
}

/// The files below a folder, by their names from there.
fn names_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).with_context(|| format!("{} cannot be read", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap_or(&path).to_owned());
            }
        }
    }
    Ok(found)
}

/// What a package must list, and all that it may.
fn faults(listed: &str, abis: &[&str]) -> Vec<String> {
    let listed: BTreeSet<_> = listed.lines().map(String::from).collect();
    let mut must: BTreeSet<_> = MUST.iter().copied().map(String::from).collect();
    for abi in abis {
        must.insert(format!("jni/{abi}/{LIBRARY}"));
        must.extend(
            ["abi.json", LIBRARY].map(|name| format!("prefab/modules/hala/libs/android.{abi}/{name}")),
        );
    }
    let missing = must.difference(&listed).map(|name| format!("{name} is not in the package"));
    let may = |name: &&String| name.starts_with("res/") || *name == CARD;
    let extra = listed.difference(&must).filter(|name| !may(name));
    missing.chain(extra.map(|name| format!("{name} has nothing to do in the package"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "AndroidManifest.xml\nLICENSE\nMETA-INF/com/android/build/gradle/aar-metadata.properties\nNOTICES.txt\nR.txt\n\
        classes.jar\njni/x86_64/libhala.so\nprefab/modules/hala/include/hala.h\nprefab/modules/hala/include/hala.hpp\n\
        prefab/modules/hala/libs/android.x86_64/abi.json\nprefab/modules/hala/libs/android.x86_64/libhala.so\n\
        prefab/modules/hala/module.json\nprefab/prefab.json\nproguard.txt\nres/values/strings.xml\n";

    #[test]
    fn a_whole_package_has_no_fault() {
        assert_eq!(faults(LISTED, &["x86_64"]), Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_named() {
        let without = LISTED.replace("classes.jar\n", "");
        assert_eq!(faults(&without, &["x86_64"]), ["classes.jar is not in the package"]);
        let with = format!("{LISTED}jni/arm64-v8a/libhala.so\n");
        assert_eq!(faults(&with, &["x86_64"]), ["jni/arm64-v8a/libhala.so has nothing to do in the package"]);
        assert_eq!(faults(LISTED, &["x86_64", "arm64-v8a"]).len(), 3);
    }

    #[test]
    fn files_are_listed_from_their_folder() {
        let folder = std::env::temp_dir().join(format!("hala-aar-{}", std::process::id()));
        files::write(&folder.join("res/values/strings.xml"), "").unwrap();
        assert_eq!(names_in(&folder).unwrap(), [Path::new("res/values/strings.xml")]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
