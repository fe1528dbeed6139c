//! Rules for source files: how they open, how long they are, how lint exceptions and ignored tests are justified.

use super::tree::Tree;
use super::violation::Violation;
use crate::extent::LONG;

/// The most lines of a Rust file that need no excuse.
const MAX_LINES: usize = 400;
const EXCUSE: &str = "Long because";

/// Every `.rs` says in its first line what it does, and so does every `.wgsl`.
pub(super) fn openings(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (ending, mark) in [(".rs", "//!"), (".wgsl", "//")] {
        for (file, text) in tree.texts(ending) {
            let opening = text.lines().next().and_then(|line| line.strip_prefix(mark));
            if opening.is_none_or(|sentence| sentence.trim().is_empty()) {
                let what =
                    format!("the file does not open with `{mark}`; say there what it does, in one sentence");
                found.push(Violation::new(&file.path, 1, what));
            }
        }
    }
    found
}

/// Long Rust files are cut, or say in their first comment why not.
pub(super) fn lengths(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, text) in tree.texts(".rs") {
        let n_lines = text.lines().count();
        let excused =
            text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.contains(EXCUSE));
        if n_lines > MAX_LINES && !excused {
            let what = format!(
                "{n_lines} lines, more than {MAX_LINES}; cut it in two, or say `{EXCUSE} …` in its first comment"
            );
            found.push(Violation::new(&file.path, MAX_LINES + 1, what));
        }
    }
    found
}

/// Each `#[allow(…)]` and `#[expect(…)]` carries `reason = "…"`.
pub(super) fn lint_exceptions(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, text) in tree.texts(".rs") {
        let mut lines = text.lines().enumerate();
        while let Some((idx, line)) = lines.next() {
            let line = line.trim();
            let openings = ["#[allow(", "#![allow(", "#[expect(", "#![expect("];
            if !openings.iter().any(|opening| line.starts_with(opening)) {
                continue;
            }
            let mut attribute = line.to_owned();
            while !attribute.contains(")]") {
                let Some((_, more)) = lines.next() else { break };
                attribute.push_str(more);
            }
            if !attribute.contains("reason") {
                let what = "a lint exception without its reason; add `reason = \"…\"`, or obey the lint";
                found.push(Violation::new(&file.path, idx + 1, what));
            }
        }
    }
    found
}

/// A test is ignored for one reason alone: it takes long, and `cargo xtask test --long` runs it.
pub(super) fn ignored_tests(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, text) in tree.texts(".rs") {
        for (idx, line) in text.lines().enumerate() {
            let Some(reason) = line.trim().strip_prefix("#[ignore") else { continue };
            let reason = reason.strip_prefix(&format!(" = \"{LONG}"));
            if reason.is_none_or(|reason| reason.starts_with(['"', ' '])) {
                let what = format!(
                    "an ignored test; say `#[ignore = \"{LONG}…\"]` with what makes it long, and nothing else is left out"
                );
                found.push(Violation::new(&file.path, idx + 1, what));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;

    #[test]
    fn a_file_must_open_with_its_sentence() {
        let good = [("a.rs", "//! Adds.\n"), ("b.wgsl", "// y = a + b\n"), ("c.md", "text")];
        assert!(said(openings, &good).is_empty());
        let bad = [("a.rs", "use std::fmt;\n"), ("b.rs", ""), ("c.rs", "//!\n"), ("d.wgsl", "fn main() {}")];
        assert_eq!(said(openings, &bad).len(), 4);
    }

    #[test]
    fn a_long_file_is_cut_or_says_why() {
        let body = "\n".repeat(MAX_LINES);
        let found = said(lengths, &[("a.rs", &format!("//! Adds.\n{body}"))]);
        assert!(found.len() == 1 && found[0].starts_with("a.rs:401: 401 lines"), "{found:?}");
        assert!(said(lengths, &[("a.rs", &format!("//! Adds.\n//! Long because.\n{body}"))]).is_empty());
        assert!(said(lengths, &[("a.rs", &body)]).is_empty());
    }

    #[test]
    fn a_lint_exception_needs_its_reason() {
        let good = "#[allow(\n    dead_code,\n    reason = \"read by C\"\n)]\nfn a() {}\n";
        assert!(said(lint_exceptions, &[("a.rs", good)]).is_empty());
        let bad = "//! A.\n#![allow(dead_code)]\n    #[expect(\n        unused\n    )]\nlet reason = 1;\n";
        let found = said(lint_exceptions, &[("a.rs", bad)]);
        assert_eq!(found.len(), 2);
        assert!(found[1].starts_with("a.rs:3: "), "{found:?}");
    }

    #[test]
    fn a_test_is_ignored_only_because_it_is_long() {
        let good = "//! A.\n#[test]\n#[ignore = \"long: all shapes\"]\nfn a() {}\n// #[ignore]\n";
        assert!(said(ignored_tests, &[("a.rs", good)]).is_empty());
        let bad = "//! A.\n#[ignore]\n    #[ignore = \"broken\"]\n#[ignore = \"long: \"]\n";
        let found = said(ignored_tests, &[("a.rs", bad)]);
        assert_eq!(found.len(), 3);
        assert!(found[1].starts_with("a.rs:3: "), "{found:?}");
    }
}
