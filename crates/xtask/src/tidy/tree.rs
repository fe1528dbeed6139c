//! The files of a checkout, as the rules see them: paths and texts.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Larger files are data: the rules see their paths only.
const MAX_TEXT_BYTES: u64 = 4 << 20;

/// One file.
#[derive(Debug)]
pub(crate) struct File {
    /// From the root, with `/` between folders.
    pub(crate) path: String,
    /// `None` for what is not UTF-8 text.
    pub(crate) text: Option<String>,
}

/// All files of a checkout, by path.
pub(crate) struct Tree {
    files: BTreeMap<String, File>,
}

impl Tree {
    /// The files that git tracks, and those it would track because nothing ignores them.
    pub(crate) fn of_checkout(root: &Path) -> Result<Self> {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
        let done =
            git.output().context("git cannot be started; tidy asks it which files are the project's")?;
        if !done.status.success() {
            bail!(
                "git cannot list the files of {}: {}",
                root.display(),
                String::from_utf8_lossy(&done.stderr)
            );
        }
        let mut files = BTreeMap::new();
        for path in String::from_utf8_lossy(&done.stdout).split('\0').filter(|path| !path.is_empty()) {
            // A file that is deleted but not yet committed so is still listed.
            let Ok(metadata) = std::fs::metadata(root.join(path)) else { continue };
            let text = match metadata.len() {
                0..=MAX_TEXT_BYTES if metadata.is_file() => read_text(&root.join(path))?,
                _ => None,
            };
            files.insert(path.to_owned(), File { path: path.to_owned(), text });
        }
        Ok(Tree { files })
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: Some(text.to_owned()) };
        Tree { files: files.iter().map(|(path, text)| ((*path).to_owned(), file(path, text))).collect() }
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    /// Files whose names end in `ending`, with their texts.
    pub(super) fn texts<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = (&'a File, &'a str)> {
        let wanted = self.files().filter(move |file| file.path.ends_with(ending));
        wanted.filter_map(|file| Some((file, file.text.as_deref()?)))
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.text.as_deref()
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Whether any file lies under `folder`, which ends in `/`.
    pub(super) fn has_folder(&self, folder: &str) -> bool {
        self.files().any(|file| file.path.starts_with(folder))
    }

    /// The folders of `crates/` that hold a manifest.
    pub(super) fn crates(&self) -> impl Iterator<Item = &str> {
        self.files().filter_map(|file| {
            let name = file.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
            (!name.contains('/')).then_some(name)
        })
    }
}

fn read_text(path: &Path) -> Result<Option<String>> {
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')))
}

impl File {
    /// Whether the whole file belongs to tests.
    pub(super) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs"))
    }

    /// Whether it lies in a `fixtures` folder of the tests.
    pub(crate) fn is_fixture(&self) -> bool {
        let in_crate = self.path.strip_prefix("crates/").and_then(|path| path.split_once('/'));
        let path = in_crate.map_or(self.path.as_str(), |(_, path)| path);
        path.starts_with("tests/fixtures/")
    }

    /// Numbered lines, each with whether it is part of tests: of a test file, or of a `#[cfg(test)]` module,
    /// which by convention ends its file.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        let text = self.text.as_deref().unwrap_or_default();
        let tests_from = if self.is_test() { 0 } else { start_of_tests(text).unwrap_or(usize::MAX) };
        text.lines().enumerate().map(move |(idx, line)| (idx + 1, line, idx >= tests_from))
    }
}

fn start_of_tests(text: &str) -> Option<usize> {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let opens =
        |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    lines.windows(2).position(opens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_module_counts_as_tests_to_the_end_of_its_file() {
        let tree = Tree::of(&[("src/a.rs", "one\n#[cfg(test)]\nmod tests {\n}\n"), ("tests/b.rs", "two\n")]);
        let marks = |path: &str| tree.files[path].lines().map(|(_, _, test)| test).collect::<Vec<_>>();
        assert_eq!(marks("src/a.rs"), [false, true, true, true]);
        assert_eq!(marks("tests/b.rs"), [true]);
    }

    #[test]
    fn a_test_module_in_another_file_does_not_hide_what_follows() {
        assert_eq!(start_of_tests("#[cfg(test)]\nmod tests;\nfn shipped() {}\n"), None);
    }

    #[test]
    fn fixtures_lie_in_the_tests_of_the_root_or_of_a_crate() {
        let tree = Tree::of(&[
            ("tests/fixtures/a.json", ""),
            ("crates/text/tests/fixtures/deep/b.json", ""),
            ("crates/xtask/src/tidy/fixtures.rs", ""),
        ]);
        let found: Vec<_> = tree.files().filter(|file| file.is_fixture()).map(|file| &file.path).collect();
        assert_eq!(found, ["crates/text/tests/fixtures/deep/b.json", "tests/fixtures/a.json"]);
    }
}
