//! The licences of what a library is made of: whoever passes it on passes these on too.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::compile::Wanted;
use super::sources::{self, Known, Package};
use crate::process;
use crate::project::{self, Project};

/// How the files begin that a crate keeps its licence in.
const FILES: &[&str] = &["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

const OPENING: &str = "\
Hala is licensed under Apache-2.0: see LICENSE. This library also holds the Rust standard library
(MIT OR Apache-2.0, https://www.rust-lang.org) and the crates below, each under the licence beside it.
What their authors ask to be passed on follows the list.
";

/// Writes the licences of all crates that are in the library as it is wanted.
pub(crate) fn write(project: &Project, wanted: &Wanted, to: &Path) -> Result<()> {
    let known = sources::known(project, &wanted.features)?;
    let (mut list, mut texts) = (String::from(OPENING), Texts::default());
    list.push('\n');
    for package in linked(project, wanted)? {
        let Some(Known { licence, folder }) = known.get(&package) else {
            anyhow::bail!("cargo metadata does not know {} {}", package.name, package.version)
        };
        let _ = writeln!(list, "  {} {}: {licence}", package.name, package.version);
        texts.add(&package.name, folder)?;
    }
    list.push_str(&texts.written());
    std::fs::write(to, list).with_context(|| format!("{} cannot be written", to.display()))
}

/// The crates of others that are linked, but for those that ran while it was compiled.
fn linked(project: &Project, wanted: &Wanted) -> Result<Vec<Package>> {
    let mut tree = project.cargo();
    tree.args(["tree", "--quiet", "--package", "hala-ffi", "--edges", "no-build,no-dev,no-proc-macro"]);
    tree.args(["--prefix", "none", "--format", "{p}", "--no-default-features"]);
    tree.args(["--features", &wanted.features.join(",")]);
    tree.args(wanted.target.iter().flat_map(|target| ["--target", target]));
    let done = process::read(&mut tree)?;
    ensure!(done.success, "cargo tree cannot list what the library is made of: {}", done.output.trim());
    let mut packages: Vec<_> = done.output.lines().filter_map(package).collect();
    packages.sort();
    packages.dedup();
    Ok(packages)
}

/// `serde v1.0.229`, perhaps with more behind it; `None` for the project's own.
fn package(line: &str) -> Option<Package> {
    let mut words = line.split_whitespace();
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    (!project::is_own(name)).then(|| Package { name: name.to_owned(), version: version.to_owned() })
}

/// Texts of licences, each once, with the crates that have it.
#[derive(Default)]
struct Texts {
    /// By their words alone: line breaks differ.
    by_words: BTreeMap<String, (String, Vec<String>)>,
}

impl Texts {
    /// Adds the texts that lie beside a crate's manifest.
    fn add(&mut self, name: &str, folder: &Path) -> Result<()> {
        let entries =
            std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
        let mut files: Vec<_> =
            entries.flatten().map(|entry| entry.path()).filter(|path| is_licence(path)).collect();
        files.sort();
        for file in files {
            let text = std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            let text = String::from_utf8_lossy(&text).replace("\r\n", "\n");
            let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let (_, names) = self.by_words.entry(words).or_insert_with(|| (text, Vec::new()));
            if names.last().is_none_or(|last| last != name) {
                names.push(name.to_owned());
            }
        }
        Ok(())
    }

    /// Those of most crates first.
    fn written(&self) -> String {
        let mut texts: Vec<_> = self.by_words.values().collect();
        texts.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
        let rule = "-".repeat(100);
        texts.into_iter().fold(String::new(), |all, (text, names)| {
            format!("{all}\n{rule}\n{}\n{rule}\n\n{}\n", names.join(", "), text.trim_end())
        })
    }
}

fn is_licence(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
    path.is_file() && FILES.iter().any(|beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, version: &str) -> Package {
        Package { name: name.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn crates_of_others_are_read_from_cargos_tree() {
        assert_eq!(package("serde v1.0.229 (*)"), Some(named("serde", "1.0.229")));
        assert_eq!(package("hala-plan v0.1.0 (/here/crates/plan)"), None);
        assert_eq!(package(""), None);
    }

    #[test]
    fn a_text_that_several_crates_have_is_there_once() {
        let root = std::env::temp_dir().join(format!("hala-notices-{}", std::process::id()));
        let mut texts = Texts::default();
        for (name, text) in [("a", "Do as\nyou like.\n"), ("b", "Do as you like."), ("c", "Ask me.")] {
            std::fs::create_dir_all(root.join(name)).unwrap();
            std::fs::write(root.join(name).join("LICENSE-MIT"), text).unwrap();
            std::fs::write(root.join(name).join("lib.rs"), "no licence").unwrap();
            texts.add(name, &root.join(name)).unwrap();
        }
        std::fs::remove_dir_all(root).unwrap();
        let written = texts.written();
        let (first, second) = (written.find("\na, b\n").unwrap(), written.find("\nc\n").unwrap());
        assert!(
            first < second && written.contains("Ask me.") && !written.contains("no licence"),
            "{written}"
        );
        assert_eq!(written.matches("you like.").count(), 1);
    }
}
