//! `cargo xtask tidy`: the house style as a check. Each rule looks at the files alone and is tested alone.

mod circles;
mod fixtures;
mod layers;
mod leaks;
mod licences;
mod names;
mod ops;
mod pages;
mod sources;
mod training;
mod violation;

pub(crate) mod tree;

use anyhow::Result;

use crate::args::{self, Task};
use crate::outcome::Outcome;
use crate::project::Project;

use tree::Tree;
use violation::Violation;

pub(crate) const TASK: Task = Task {
    name: "tidy",
    about: "check the house style",
    help: "\
Checks the house style over every file that git tracks or would track, and prints what is wrong as
`path:line: what, and what to do`:

  ops       every op of the plan has its CPU twin, its shader (once shaders/ exists) and its test, and the page that tells
            how to add one lists every file that an op touches
  training  ops of training alone have no shader, and the browser's module does not get them
  layers    crates depend on crates of lower layers only, and are named after their folders
  circles   the modules of a crate form no circle
  sources   opening comments, file lengths, reasons of lint exceptions and of ignored tests
  names     no modules called utils, helpers, common or misc; no `pub use` of everything
  leaks     no paths of one machine, nothing from outside the checkout, no package registry's host
  fixtures  each fixture beside the script that made it
  pages     README, crates/README.md and CHANGELOG.md name what they must
  licences  every dependency's licence is one that .deny.toml allows

Usage: cargo xtask tidy
",
    run,
};

const RULES: &[fn(&Tree) -> Vec<Violation>] = &[
    ops::twins,
    ops::page,
    training::twins,
    training::apart,
    layers::arrows,
    circles::modules,
    sources::openings,
    sources::lengths,
    sources::lint_exceptions,
    sources::ignored_tests,
    names::modules,
    names::globs,
    leaks::machine_paths,
    leaks::registries,
    fixtures::scripts,
    pages::crate_rows,
    pages::folder_lines,
    pages::commands,
    pages::changelog,
];

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    args::none("tidy", words)?;
    check(project)
}

/// Prints every violation of the checkout.
pub(crate) fn check(project: &Project) -> Result<Outcome> {
    let tree = Tree::of_checkout(&project.root)?;
    let mut found: Vec<_> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    found.extend(licences::allowed(&tree, &licences::packages(project)?));
    found.sort();
    for Violation { path, line, what } in &found {
        println!("{path}:{line}: {what}");
    }
    println!("tidy: {} files, {} violations", tree.files().count(), found.len());
    Ok(if found.is_empty() { Outcome::Good } else { Outcome::Bad })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `rule` says of `files`, as `path:line` and the message.
    pub(super) fn said(rule: fn(&Tree) -> Vec<Violation>, files: &[(&str, &str)]) -> Vec<String> {
        let show = |found: Violation| format!("{}:{}: {}", found.path, found.line, found.what);
        rule(&Tree::of(files)).into_iter().map(show).collect()
    }

    #[test]
    fn an_empty_checkout_lacks_only_its_pages() {
        let found: Vec<_> =
            RULES.iter().flat_map(|rule| rule(&Tree::of(&[]))).map(|found| found.path).collect();
        assert_eq!(found, ["README.md", "CHANGELOG.md"]);
    }
}
