//! Where the sources of all crates lie on this machine, and their licences.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Result, ensure};

use crate::process;
use crate::project::Project;

/// A crate by name and version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
}

/// What is known of a crate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// An SPDX expression.
    pub(super) licence: String,
    pub(super) folder: PathBuf,
}

/// Where every crate's source lies, with what the library with these features needs.
pub(super) fn known(project: &Project, features: &[&str]) -> Result<BTreeMap<Package, Known>> {
    let features: Vec<_> = features.iter().map(|feature| format!("hala-ffi/{feature}")).collect();
    let mut metadata = project.cargo();
    metadata.args(["metadata", "--format-version", "1", "--quiet", "--features", &features.join(",")]);
    let done = process::read(&mut metadata)?;
    ensure!(done.success, "cargo metadata cannot list the crates: {}", done.output.trim());
    Ok(parse(&done.output))
}

/// Cargo prints a package's `name`, `version`, `id` and `license` first and in this order, and its only `manifest_path` behind what it depends
/// on, which spares a JSON parser.
fn parse(json: &str) -> BTreeMap<Package, Known> {
    let mut found = BTreeMap::new();
    let mut last = None;
    for object in json.split("{\"name\":\"") {
        if let Some((head, tail)) = object.split_once("\"license\":")
            && let [name, version, id] = head.split("\",\"").collect::<Vec<_>>()[..]
            && let Some(version) = version.strip_prefix("version\":\"")
            && id.starts_with("id\":\"")
        {
            let licence = tail.strip_prefix('"').and_then(|text| text.split('"').next());
            let package = Package { name: name.to_owned(), version: version.to_owned() };
            last = Some((package, licence.unwrap_or("as its files say").to_owned()));
        }
        if let Some((_, path)) = object.split_once("\"manifest_path\":\"")
            && let Some((package, licence)) = last.take()
        {
            let manifest = PathBuf::from(path.split('"').next().unwrap_or_default().replace("\\\\", "\\"));
            let folder = manifest.parent().unwrap_or(&manifest).to_owned();
            found.insert(package, Known { licence, folder });
        }
    }
    found
}

/// The folders that crates of others lie in.
pub(super) fn folders(project: &Project) -> Result<BTreeSet<PathBuf>> {
    let known = known(project, &[])?;
    let folders = known.into_values().filter_map(|known| known.folder.parent().map(PathBuf::from));
    Ok(folders.filter(|folder| !folder.starts_with(&project.root)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, version: &str) -> Package {
        Package { name: name.to_owned(), version: version.to_owned() }
    }

    #[test]
    fn a_crates_folder_is_that_of_its_manifest() {
        let json = r#"{"packages":[{"name":"a","version":"1.0.0","id":"x#a@1.0.0","license":"MIT",
            "dependencies":[{"name":"b","source":null}],"targets":[{"kind":["lib"],"name":"a"}],"features":{},"manifest_path":"/src/a-1.0.0/Cargo.toml"},
            {"name":"b","version":"2.0.0","id":"x#b@2.0.0","license":null,"manifest_path":"C:\\src\\b\\Cargo.toml"}]}"#;
        let json = json.replace("\n            ", "");
        let found = parse(&json);
        let a = Known { licence: String::from("MIT"), folder: PathBuf::from("/src/a-1.0.0") };
        assert_eq!(found.get(&named("a", "1.0.0")), Some(&a));
        assert_eq!(found[&named("b", "2.0.0")].licence, "as its files say");
    }
}
