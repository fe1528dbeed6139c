//! What a shared library exports: the functions of hala.h and nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::link::EXPORTED;
use crate::process;

/// Fails where the library exports another name than the functions that the header declares, or lacks one.
pub(super) fn only_declared(library: &Path, header: &str) -> Result<()> {
    let listed =
        process::read(Command::new("nm").args(["-D", "--defined-only", "--format=posix"]).arg(library))?;
    ensure!(listed.success, "nm cannot list the names of {}: {}", library.display(), listed.output.trim());
    let (exported, declared) = (names(&listed.output), declared(header));
    let list = |names: &BTreeSet<&str>, others: &BTreeSet<&str>| {
        names.difference(others).copied().collect::<Vec<_>>().join(", ")
    };
    let (extra, missing) = (list(&exported, &declared), list(&declared, &exported));
    ensure!(extra.is_empty(), "{} exports what hala.h does not declare: {extra}", library.display());
    ensure!(missing.is_empty(), "{} lacks what hala.h declares: {missing}", library.display());
    Ok(())
}

/// The first word of each line of `nm`.
fn names(listed: &str) -> BTreeSet<&str> {
    listed.lines().filter_map(|line| line.split_whitespace().next()).collect()
}

/// The functions of a header: names before a bracket, outside of comments.
fn declared(header: &str) -> BTreeSet<&str> {
    let lines = header.lines().filter(|line| !line.trim_start().starts_with("//"));
    let before_brackets = lines.flat_map(|line| line.match_indices('(').map(|(at, _)| &line[..at]));
    let last_words = before_brackets
        .filter_map(|text| text.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next());
    last_words.filter(|name| name.starts_with(EXPORTED)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_told_from_comments_and_types() {
        let header = "// Frees a text: hala_old_free().\n#define HALA_INIT(type) type\n\
            HALA_API struct HalaText *hala_name(int32_t status);\nHALA_API\nHalaStatus hala_load(const char *path,\n    int n);\n";
        assert_eq!(declared(header).into_iter().collect::<Vec<_>>(), ["hala_load", "hala_name"]);
    }

    #[test]
    fn names_are_read_as_nm_prints_them() {
        let listed = "hala_trim T 1000 20\nrust_eh_personality T 2000\n";
        assert_eq!(names(listed).into_iter().collect::<Vec<_>>(), ["hala_trim", "rust_eh_personality"]);
    }
}
