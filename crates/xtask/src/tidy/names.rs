//! Rules for names: none that says nothing, and none that arrives unseen.

use super::tree::Tree;
use super::violation::Violation;

const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];
const SOURCES: &[&str] = &[".rs", ".wgsl", ".cu", ".py", ".ts", ".js", ".mjs", ".kt"];

/// No file, folder or inline module is called by a name that says nothing of what is in it.
pub(super) fn modules(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in tree.files().filter(|file| SOURCES.iter().any(|ending| file.path.ends_with(ending))) {
        let parts = file.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
        for name in parts.filter(|name| EMPTY_NAMES.contains(name)) {
            found.push(Violation::new(&file.path, 1, empty_name(name)));
        }
        for (line_no, line, _) in file.lines() {
            let module = line.split_once("mod ").filter(|(before, _)| is_visibility(before.trim()));
            let name = module.and_then(|(_, rest)| rest.split_once('{')).map(|(name, _)| name.trim());
            if let Some(name) = name.filter(|name| EMPTY_NAMES.contains(name)) {
                found.push(Violation::new(&file.path, line_no, empty_name(name)));
            }
        }
    }
    found
}

/// A `pub use` names what it passes on.
pub(super) fn globs(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, text) in tree.texts(".rs") {
        let mut lines = text.lines().enumerate();
        while let Some((idx, line)) = lines.next() {
            let use_tree = line.trim().split_once("use ");
            if !use_tree.is_some_and(|(before, _)| !before.is_empty() && is_visibility(before.trim())) {
                continue;
            }
            let mut statement = line.to_owned();
            while !statement.contains(';') {
                let Some((_, more)) = lines.next() else { break };
                statement.push_str(more);
            }
            if statement.contains("::*") || statement.contains("{*") {
                let what = "a `pub use` of everything; name what it passes on";
                found.push(Violation::new(&file.path, idx + 1, what));
            }
        }
    }
    found
}

fn empty_name(name: &str) -> String {
    format!("`{name}` says nothing of what is inside; name it after what it does")
}

/// Nothing, `pub` or `pub(…)`: what may stand before `mod` and `use`.
fn is_visibility(text: &str) -> bool {
    text.is_empty() || text == "pub" || (text.starts_with("pub(") && text.ends_with(')'))
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;

    #[test]
    fn empty_names_are_refused_as_file_folder_and_inline_module() {
        let bad =
            [("src/utils.rs", ""), ("tests/common/mod.rs", ""), ("src/a.rs", "pub(crate) mod misc {\n}")];
        assert_eq!(said(modules, &bad).len(), 3);
        assert!(
            said(modules, &[("src/shape.rs", "mod common_prefix {}\n// mod misc {"), ("misc.md", "")])
                .is_empty()
        );
    }

    #[test]
    fn a_public_glob_is_refused_over_any_number_of_lines() {
        let bad = "pub use shape::*;\npub(crate) use dtype::{\n    self,\n    codes::*,\n};\n";
        assert_eq!(said(globs, &[("src/lib.rs", bad)]).len(), 2);
        let good = "pub use shape::Shape;\nuse super::*;\n/// `pub use x::*` is refused\n";
        assert!(said(globs, &[("src/lib.rs", good)]).is_empty());
    }
}
