//! Rule: each fixture lies beside the script that made it.

use super::tree::Tree;
use super::violation::Violation;

/// The script may lie in the fixture's own folder or in one above it, up to `fixtures/` itself.
pub(super) fn scripts(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in tree.files().filter(|file| file.is_fixture() && !file.path.ends_with(".md")) {
        let Some((root, _)) = file.path.split_once("/fixtures/") else { continue };
        let folders = file.path.match_indices('/').map(|(at, _)| &file.path[..=at]);
        let mut within = folders.filter(|folder| folder.len() > root.len() + 1);
        if !within.any(|folder| has_script(tree, folder)) {
            let what = "a fixture with no script beside it; add the .py that makes it again";
            found.push(Violation::new(&file.path, 1, what));
        }
    }
    found
}

fn has_script(tree: &Tree, folder: &str) -> bool {
    let names = tree.files().filter_map(|file| file.path.strip_prefix(folder));
    names.into_iter().any(|name| name.ends_with(".py") && !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;

    #[test]
    fn a_script_in_the_folder_or_above_it_will_do() {
        let good = [
            ("tests/fixtures/lfm2/make.py", ""),
            ("tests/fixtures/lfm2/tiny/config.json", ""),
            ("tests/fixtures/README.md", ""),
            ("crates/text/tests/fixtures/make.py", ""),
            ("crates/text/tests/fixtures/a.json", ""),
        ];
        assert!(said(scripts, &good).is_empty());
    }

    #[test]
    fn a_fixture_that_nobody_can_remake_is_named() {
        let bad = [
            ("make.py", ""),
            ("tests/make.py", ""),
            ("tests/fixtures/lfm2/make.py", ""),
            ("tests/fixtures/gemma2/config.json", ""),
            ("crates/text/tests/fixtures/a.json", ""),
        ];
        let found = said(scripts, &bad);
        assert_eq!(found.len(), 2);
        assert!(found[1].starts_with("tests/fixtures/gemma2/config.json:1: "), "{found:?}");
    }
}
