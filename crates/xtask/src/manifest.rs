//! The little of TOML that Cargo manifests and `.deny.toml` need: `key = value` lines under section headers.

/// One `key = value` line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// The header it stands under, without brackets; empty at the top.
    pub(crate) section: &'a str,
    pub(crate) key: &'a str,
    pub(crate) value: &'a str,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// Every entry of `text`. A value that runs over several lines ends at its first line here.
pub(crate) fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut section = "";
    let mut found = Vec::new();
    for (idx, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            section = header.trim();
        } else if let Some((key, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            found.push(Entry { section, key: key.trim(), value: value.trim(), line: idx + 1 });
        }
    }
    found
}

/// The packages that a manifest's ordinary and build dependencies name, with their lines.
pub(crate) fn dependencies(text: &str) -> Vec<(&str, usize)> {
    let mut found: Vec<(&str, usize)> = Vec::new();
    for entry in entries(text) {
        if is_dependency_table(entry.section) {
            let alias = entry.key.split('.').next().unwrap_or(entry.key).trim();
            found.push((renamed(entry.value).unwrap_or(alias), entry.line));
        }
    }
    for (idx, line) in text.lines().enumerate() {
        let header = line.trim().strip_prefix('[').and_then(|rest| rest.split(']').next());
        if let Some((table, package)) = header.and_then(|header| header.rsplit_once('.'))
            && is_dependency_table(table)
        {
            found.push((package, idx + 1));
        }
    }
    found
}

/// Features that one line turns on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Features<'a> {
    /// The feature that stands for them, or the dependency that has them.
    pub(crate) name: &'a str,
    pub(crate) turns_on: Vec<&'a str>,
    /// Counted from 1.
    pub(crate) line: usize,
}

/// The features that a manifest defines.
pub(crate) fn features(text: &str) -> Vec<Features<'_>> {
    let entries = entries(text).into_iter().filter(|entry| entry.section == "features");
    entries
        .map(|Entry { key: name, line, .. }| Features { name, turns_on: strings(text, line, "="), line })
        .collect()
}

/// The features that a manifest turns on in what it depends on, or in what all of a workspace do, but for tests.
pub(crate) fn features_of_dependencies(text: &str) -> Vec<Features<'_>> {
    let in_table = |section: &str| is_dependency_table(section) || section == "workspace.dependencies";
    let own_table = |section: &str| section.rsplit_once('.').is_some_and(|(table, _)| in_table(table));
    let entries = entries(text).into_iter().filter(|entry| {
        in_table(entry.section) && (entry.key.ends_with(".features") || entry.value.contains("features"))
            || own_table(entry.section) && entry.key == "features"
    });
    let of =
        |Entry { key: name, line, .. }| Features { name, turns_on: strings(text, line, "features"), line };
    entries.map(of).collect()
}

fn is_dependency_table(section: &str) -> bool {
    let table = section.rsplit('.').next().unwrap_or(section);
    let known = table == "dependencies" || table == "build-dependencies";
    known && (section == table || section.starts_with("target."))
}

/// `{ package = "x", … }` depends on `x` under another name.
fn renamed(value: &str) -> Option<&str> {
    let (_, rest) = value.split_once("package")?;
    rest.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?.split('"').next()
}

/// The strings of the array `key` in `section`, over as many lines as it takes.
pub(crate) fn array<'a>(text: &'a str, section: &str, key: &str) -> Option<Vec<&'a str>> {
    let entry = entries(text).into_iter().find(|entry| entry.section == section && entry.key == key)?;
    Some(strings(text, entry.line, "="))
}

/// The strings of the array that follows `before` in a line, over as many lines as it takes.
fn strings<'a>(text: &'a str, line: usize, before: &str) -> Vec<&'a str> {
    let mut items = Vec::new();
    for (idx, line_text) in text.lines().enumerate().skip(line - 1) {
        let part = line_text.split('#').next().unwrap_or_default();
        let part = if idx + 1 == line { part.split_once(before).map_or("", |(_, rest)| rest) } else { part };
        let inside = part.split(']').next().unwrap_or_default();
        items.extend(inside.split('"').skip(1).step_by(2));
        if inside.len() < part.len() {
            break;
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
[package]
name = "hala-x" # not a dependency
[dependencies]
hala-plan.workspace = true
serde = { version = "1", features = ["derive"] }
short = { package = "hala-tensor", path = "../tensor" }
# hala-cli = "1"
[dev-dependencies]
hala-tests.workspace = true
[target.'cfg(unix)'.dependencies]
libc = "0.2"
[dependencies.hala-text]
path = "../text"
[build-dependencies]
naga = "1"
"#;

    #[test]
    fn dependencies_of_every_kind_but_dev_are_found() {
        let names: Vec<_> = dependencies(MANIFEST).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["hala-plan", "serde", "hala-tensor", "libc", "naga", "hala-text"]);
        assert_eq!(dependencies(MANIFEST)[0].1, 5);
    }

    #[test]
    fn an_array_may_run_over_lines() {
        let text = "[licenses]\nallow = [\n  \"MIT\", # \"no\"\n  \"ISC\",\n]\nother = [\"x\"]\n";
        assert_eq!(array(text, "licenses", "allow"), Some(vec!["MIT", "ISC"]));
        assert_eq!(array(text, "licenses", "deny"), None);
    }

    #[test]
    fn features_are_those_defined_and_those_asked_of_dependencies() {
        let found = features("[features]\ndefault = [\n  \"a\",\n]\na = []\n");
        let lists: Vec<_> = found.iter().map(|f| (f.name, f.turns_on.as_slice(), f.line)).collect();
        assert_eq!(lists, [("default", &["a"][..], 2), ("a", &[], 5)]);
        let found = features_of_dependencies(MANIFEST);
        let lists: Vec<_> = found.iter().map(|f| (f.name, f.turns_on.as_slice(), f.line)).collect();
        assert_eq!(lists, [("serde", &["derive"][..], 6)]);
    }
}
