//! Rules for the pages that a newcomer reads: every crate and folder has its line, every command exists.

use std::collections::BTreeSet;

use super::tree::Tree;
use super::violation::Violation;

const README: &str = "README.md";
const CRATES_README: &str = "crates/README.md";
const CHANGELOG: &str = "CHANGELOG.md";

/// Each crate has a row in `crates/README.md`.
pub(super) fn crate_rows(tree: &Tree) -> Vec<Violation> {
    missing_lines(tree, CRATES_README, tree.crates(), "the crate")
}

/// Each top-level folder that is not hidden has a line in the README.
pub(super) fn folder_lines(tree: &Tree) -> Vec<Violation> {
    let folders: BTreeSet<_> =
        tree.files().filter_map(|file| file.path.split_once('/')).map(|(folder, _)| folder).collect();
    missing_lines(tree, README, folders.into_iter().filter(|folder| !folder.starts_with('.')), "the folder")
}

fn missing_lines<'a>(
    tree: &Tree,
    page: &str,
    names: impl Iterator<Item = &'a str>,
    kind: &str,
) -> Vec<Violation> {
    let text = tree.text(page).unwrap_or_default();
    let absent = names.filter(|name| !text.lines().any(|line| is_line_of(line, name)));
    let missing = |name| Violation::new(page, 1, format!("{kind} `{name}` has no line; say what it is for"));
    absent.map(missing).collect()
}

/// Whether `line` is a row of a table, a list or a drawn tree, with `name` among its first words.
/// Prose does not count: it names crates in passing.
fn is_line_of(line: &str, name: &str) -> bool {
    let is_row = line.starts_with(|c: char| !c.is_alphabetic() && c != '#');
    let words = line.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
    let mut first = words.filter(|word| word.contains(char::is_alphanumeric)).take(6);
    is_row && first.any(|word| word == name || word.strip_prefix("hala-") == Some(name)) || {
        let start = line.strip_prefix(name);
        start.is_some_and(|rest| rest.starts_with('/') || rest.starts_with("  "))
    }
}

/// The README shows how to try the project and how to test it, with commands that exist.
pub(super) fn commands(tree: &Tree) -> Vec<Violation> {
    let Some(text) = tree.text(README) else {
        return vec![Violation::new(README, 1, "there is no README; write one")];
    };
    let lines = code_lines(text);
    let mut found = Vec::new();
    for wanted in ["cargo run", "cargo xtask test"] {
        if !lines.iter().any(|(_, line)| line.starts_with(wanted)) {
            let what = format!("no code block shows `{wanted}`; a newcomer needs it");
            found.push(Violation::new(README, 1, what));
        }
    }
    for (line_no, line) in lines {
        let words: Vec<_> = line.split_whitespace().collect();
        let unknown = match words.as_slice() {
            ["cargo", "xtask", name, ..] => !is_task(tree, name),
            ["cargo", "run", rest @ ..] => {
                let mut after = rest.iter().skip_while(|word| **word != "--").skip(1);
                after.next().is_some_and(|name| !is_hala_command(tree, name))
            }
            _ => false,
        };
        if unknown {
            found.push(Violation::new(
                README,
                line_no,
                format!("`{line}` names a command that does not exist"),
            ));
        }
    }
    found
}

/// The lines of fenced code blocks, without prompts.
fn code_lines(text: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (idx, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if inside {
            found.push((idx + 1, line.trim().trim_start_matches("$ ")));
        }
    }
    found
}

/// Whether a `Task` of xtask has the name. What a task needs, and what it builds, have names too, and are no tasks.
fn is_task(tree: &Tree, name: &str) -> bool {
    let as_field = format!("name: \"{name}\"");
    braced(tree, "crates/xtask/src/", "Task {").any(|task| task.contains(&as_field))
}

/// Whether the `hala` binary's `Command` names the subcommand, as a variant (`Translate`) or a text (`"translate"`).
fn is_hala_command(tree: &Tree, name: &str) -> bool {
    if name.starts_with('-') {
        return true;
    }
    let as_variant: String = name.split('-').map(capitalised).collect();
    let as_text = format!("\"{name}\"");
    braced(tree, "crates/cli/src/", "enum Command {").any(|commands| {
        let mut words = commands.split(|c: char| !c.is_alphanumeric());
        commands.contains(&as_text) || words.any(|word| word == as_variant)
    })
}

/// What stands between `opening` and the next closing brace, wherever it does in Rust files under `folder`.
fn braced<'a>(tree: &'a Tree, folder: &'a str, opening: &'a str) -> impl Iterator<Item = &'a str> {
    let sources = tree.texts(".rs").filter(move |(file, _)| file.path.starts_with(folder));
    let after = sources.flat_map(move |(_, text)| text.split(opening).skip(1));
    after.map(|after| after.split('}').next().unwrap_or(after))
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The changelog has a place for what the next change brings.
pub(super) fn changelog(tree: &Tree) -> Vec<Violation> {
    let text = tree.text(CHANGELOG).unwrap_or_default();
    if text.lines().any(|line| line.trim_end() == "## [Unreleased]") {
        return Vec::new();
    }
    vec![Violation::new(CHANGELOG, 1, "there is no section `## [Unreleased]`; add it at the top")]
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;

    #[test]
    fn a_row_names_its_crate_among_its_first_words() {
        for line in
            ["| 0 | [tensor](tensor) | shapes |", "- `tensor`: shapes", "    0  tensor  Shape", "├── tensor/"]
        {
            assert!(is_line_of(line, "tensor"), "{line}");
        }
        assert!(is_line_of("tensor/   shapes", "tensor"));
        for line in ["The tensor crate", "## tensor", "| 1 | plan | every shape of every buffer and tensor |"]
        {
            assert!(!is_line_of(line, "tensor"), "{line}");
        }
        assert!(!is_line_of("| backend-cpu | … |", "cpu"));
    }

    #[test]
    fn a_crate_and_a_folder_without_a_line_are_named() {
        let files = [("crates/plan/Cargo.toml", ""), ("crates/README.md", "| text | x |"), ("README.md", "")];
        assert_eq!(
            said(crate_rows, &files),
            ["crates/README.md:1: the crate `plan` has no line; say what it is for"]
        );
        assert!(said(folder_lines, &files)[0].contains("the folder `crates`"));
        let files = [(".ci/run", ""), ("tests/Cargo.toml", ""), ("README.md", "    tests/  all tests")];
        assert!(said(folder_lines, &files).is_empty());
    }

    #[test]
    fn the_first_commands_must_be_shown_and_exist() {
        let cli = ("crates/cli/src/main.rs", "enum Command { Translate(Translate) }");
        let xtask = ("crates/xtask/src/test.rs", "Task { name: \"test\" }");
        let good = "```sh\n$ cargo run --release -- translate \"صباح الخير\"\ncargo xtask test\n```\n";
        assert!(said(commands, &[cli, xtask, ("README.md", good)]).is_empty());
        assert_eq!(said(commands, &[cli, xtask, ("README.md", "cargo xtask test")]).len(), 2);
        let bad = "```\ncargo run -- sing\ncargo xtask test\ncargo xtask dance\n```";
        // Other things have names too.
        let cli = ("crates/cli/src/main.rs", "struct Sing {} enum Command { Translate(Translate) }");
        let xtask = ("crates/xtask/src/test.rs", "Task { name: \"test\" } Need { name: \"dance\" }");
        let found = said(commands, &[cli, xtask, ("README.md", bad)]);
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("README.md:2: ") && found[1].starts_with("README.md:4: "), "{found:?}");
    }

    #[test]
    fn the_changelog_has_its_unreleased_section() {
        assert!(said(changelog, &[("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n")]).is_empty());
        assert_eq!(said(changelog, &[("CHANGELOG.md", "## 1.0\n")]).len(), 1);
    }
}
