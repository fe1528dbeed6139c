//! Rule: data flows one way. A crate depends on crates of a lower layer, and is named after its folder.

use super::tree::Tree;
use super::violation::Violation;
use crate::manifest;
use crate::project::{self, CrateRow};

const TABLE: &str = "CRATES in crates/xtask/src/project.rs";

pub(super) fn arrows(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for folder in tree.crates() {
        let path = format!("crates/{folder}/Cargo.toml");
        let text = tree.text(&path).unwrap_or_default();
        found.extend(name_of(&path, folder, text));
        let Some(row) = project::crate_row(folder) else {
            let what = format!("the crate `{folder}` has no layer; give it a row in {TABLE}");
            found.push(Violation::new(&path, 1, what));
            continue;
        };
        for (package, line) in manifest::dependencies(text) {
            if let Some(what) = project::is_own(package).then(|| upward(row, package)).flatten() {
                found.push(Violation::new(&path, line, what));
            }
        }
    }
    found
}

fn name_of(path: &str, folder: &str, text: &str) -> Option<Violation> {
    let entries = manifest::entries(text);
    let name = entries.iter().find(|entry| entry.section == "package" && entry.key == "name")?;
    let wanted = project::package_name(folder);
    let right = name.value.trim_matches('"') == wanted;
    (!right).then(|| {
        Violation::new(path, name.line, format!("the package is {}; call it \"{wanted}\"", name.value))
    })
}

/// What is wrong with `row` depending on `package`, if anything.
fn upward(row: &CrateRow, package: &str) -> Option<String> {
    let Some(dependency) = project::crate_row(package) else {
        return Some(format!(
            "`{package}` has no layer; give it a row in {TABLE}, or make it a dev-dependency"
        ));
    };
    match (row.layer, dependency.layer) {
        (Some(own), Some(other)) if other < own => None,
        (Some(own), Some(other)) => Some(format!(
            "`{}` (layer {own}) depends on `{}` (layer {other}); move what it needs to a layer below {own}",
            row.name, dependency.name
        )),
        _ => Some(format!(
            "`{}` depends on `{}`, but xtask stands beside the layers; remove the dependency",
            row.name, dependency.name
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;

    fn of(folder: &str, text: &str) -> Vec<String> {
        said(arrows, &[(&format!("crates/{folder}/Cargo.toml"), text)])
    }

    #[test]
    fn a_lower_layer_may_be_used() {
        assert!(of("model", "[dependencies]\nhala-plan.workspace = true\nserde = \"1\"\n").is_empty());
    }

    #[test]
    fn a_higher_or_the_same_layer_may_not() {
        let found = of("plan", "[dependencies]\nhala-model.workspace = true\nhala-text.workspace = true\n");
        assert_eq!(found.len(), 2);
        assert!(
            found[0].starts_with("crates/plan/Cargo.toml:2: `plan` (layer 1) depends on `model` (layer 3)")
        );
    }

    #[test]
    fn tests_may_use_any_crate() {
        assert!(of("plan", "[dev-dependencies]\nhala-backend-cpu.workspace = true\n").is_empty());
    }

    #[test]
    fn xtask_depends_on_no_crate_and_none_on_it() {
        assert_eq!(of("xtask", "[dependencies]\nhala-tensor.workspace = true\n").len(), 1);
        assert_eq!(of("cli", "[dependencies]\nhala-xtask.workspace = true\n").len(), 1);
    }

    #[test]
    fn a_crate_outside_the_table_and_a_wrong_name_are_named() {
        assert!(of("gadget", "")[0].contains("has no layer"));
        assert!(
            of("plan", "[dependencies]\nhala-gadget = { path = \"../gadget\" }\n")[0]
                .contains("has no layer")
        );
        assert!(of("plan", "[package]\nname = \"plan\"\n")[0].contains("\"hala-plan\""));
    }
}
