//! Rule: every dependency's licence is one that `.deny.toml` allows.

use std::process::Command;

use anyhow::{Result, bail};

use super::tree::Tree;
use super::violation::Violation;
use crate::manifest;
use crate::process::{self, Finished};
use crate::project::Project;

const DENY: &str = ".deny.toml";

/// A package of the dependency graph and its licence expression (SPDX), empty where it gives none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Package {
    name: String,
    licence: String,
}

/// Every package that the workspace can depend on, on any platform.
pub(super) fn packages(project: &Project) -> Result<Vec<Package>> {
    let mut done = metadata(project, &[])?;
    if !done.success {
        // With no network, what this machine's own build needs is still known.
        let host = process::read(Command::new("rustc").args(["--print", "host-tuple"]))?;
        done = metadata(project, &["--offline", "--filter-platform", host.output.trim()])?;
    }
    if !done.success {
        bail!("cargo metadata cannot list the dependencies: {}", done.output.trim());
    }
    Ok(parse(&done.output))
}

fn metadata(project: &Project, options: &[&str]) -> Result<Finished> {
    process::read(project.cargo().args(["metadata", "--format-version", "1", "--quiet"]).args(options))
}

/// Cargo prints a package's `name`, `version`, `id` and `license` first and in this order, which spares a
/// JSON parser.
fn parse(json: &str) -> Vec<Package> {
    let mut found = Vec::new();
    for object in json.split("{\"name\":\"").skip(1) {
        let Some((head, tail)) = object.split_once("\"license\":") else { continue };
        let [name, version, id] = head.split("\",\"").collect::<Vec<_>>()[..] else { continue };
        if version.starts_with("version\":\"") && id.starts_with("id\":\"") {
            let licence = tail.strip_prefix('"').and_then(|text| text.split('"').next());
            found.push(Package { name: name.to_owned(), licence: licence.unwrap_or_default().to_owned() });
        }
    }
    found
}

pub(super) fn allowed(tree: &Tree, packages: &[Package]) -> Vec<Violation> {
    let text = tree.text(DENY).unwrap_or_default();
    let Some(allowed) = manifest::array(text, "licenses", "allow") else {
        return vec![Violation::new(DENY, 1, "no allowed licences; list them under [licenses] as `allow`")];
    };
    let refused = packages.iter().filter(|package| !satisfied(&package.licence, &allowed));
    let violation = |package: &Package| {
        let licence = if package.licence.is_empty() { "none given" } else { &package.licence };
        let what =
            format!("`{}` has a licence not listed here: {licence}; drop it or allow that", package.name);
        Violation::new(DENY, 1, what)
    };
    refused.map(violation).collect()
}

/// Whether the SPDX expression can be met with `allowed` licences alone. `OR` binds weaker than `AND`; the
/// slash of old manifests means `OR`.
fn satisfied(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.trim();
    for (operator, any) in [(" OR ", true), ("/", true), (" AND ", false)] {
        let parts = split_outside_brackets(expression, operator);
        if parts.len() > 1 {
            let mut met = parts.into_iter().map(|part| satisfied(part, allowed));
            return if any { met.any(|met| met) } else { met.all(|met| met) };
        }
    }
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => satisfied(inner, allowed),
        None => allowed.contains(&expression),
    }
}

fn split_outside_brackets<'a>(text: &'a str, operator: &str) -> Vec<&'a str> {
    let (mut depth, mut start, mut parts) = (0_i32, 0, Vec::new());
    for (at, c) in text.char_indices() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth == 0 && at >= start && text[at..].starts_with(operator) {
            parts.push(&text[start..at]);
            start = at + operator.len();
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: &[&str] = &["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"];

    #[test]
    fn expressions_are_read_as_spdx_means_them() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-2.0/MIT",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
            "MIT AND (GPL-3.0 OR (MIT AND Apache-2.0))",
        ] {
            assert!(satisfied(good, ALLOWED), "{good}");
        }
        for bad in ["GPL-3.0", "", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND GPL-3.0"] {
            assert!(!satisfied(bad, ALLOWED), "{bad}");
        }
    }

    #[test]
    fn packages_are_found_in_cargos_own_order_of_keys() {
        let json = r#"{"packages":[{"name":"a","version":"1.0.0","id":"x#a@1","license":"MIT","license_file":null,
            "dependencies":[{"name":"b","source":null}],"targets":[{"name":"a","kind":["lib"]}]},
            {"name":"b","version":"2.0.0","id":"x#b@2","license":null,"dependencies":[]}]}"#;
        let package =
            |name: &str, licence: &str| Package { name: name.to_owned(), licence: licence.to_owned() };
        assert_eq!(parse(json), [package("a", "MIT"), package("b", "")]);
    }

    #[test]
    fn a_licence_that_is_not_listed_names_its_package() {
        let package = Package { name: String::from("x"), licence: String::from("GPL-3.0") };
        let tree = Tree::of(&[(DENY, "[licenses]\nallow = [\"MIT\"]\n")]);
        let found = allowed(&tree, &[package]);
        assert!(found.len() == 1 && found[0].what.contains("`x`") && found[0].what.contains("GPL-3.0"));
        assert!(allowed(&tree, &[Package { name: String::new(), licence: String::from("MIT") }]).is_empty());
    }

    #[test]
    fn a_missing_list_is_named() {
        assert_eq!(allowed(&Tree::of(&[]), &[])[0].path, DENY);
    }

    #[test]
    fn this_workspaces_own_packages_are_listed() {
        let done = metadata(&Project::find().unwrap(), &["--offline", "--no-deps"]).unwrap();
        let own = Package { name: String::from("hala-xtask"), licence: String::from("Apache-2.0") };
        assert!(parse(&done.output).contains(&own), "{}", done.output);
    }
}
