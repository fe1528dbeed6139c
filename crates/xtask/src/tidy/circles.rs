//! Rule: the modules of a crate form no circle. An edge is a `use` or a path between two files of one crate; `mod` lines and tests do not count.

mod cfg;
mod graph;
mod modules;
mod paths;
mod resolve;
mod tokens;

use std::collections::BTreeSet;

use super::tree::Tree;
use super::violation::Violation;
use crate::manifest;
use graph::{Edge, Graph};
use modules::Modules;

/// No circle in any program or library of a member crate.
pub(super) fn modules(tree: &Tree) -> Vec<Violation> {
    members(tree).flat_map(|folder| roots(tree, folder)).flat_map(|root| of_root(tree, &root)).collect()
}

/// The folders of all packages: those of `crates/`, and those at the root.
fn members(tree: &Tree) -> impl Iterator<Item = &str> {
    let folders = tree.files().filter_map(|file| file.path.strip_suffix("/Cargo.toml"));
    folders.filter(|folder| !folder.trim_start_matches("crates/").contains('/'))
}

/// The files that a package's library, programs and build script begin with.
fn roots(tree: &Tree, folder: &str) -> BTreeSet<String> {
    let manifest = tree.text(&format!("{folder}/Cargo.toml")).unwrap_or_default();
    let named = manifest::entries(manifest).into_iter().filter(|entry| {
        entry.key == "path" && matches!(entry.section.trim_start_matches('['), "lib" | "bin")
    });
    let named = named.map(|entry| entry.value.trim_matches('"').to_owned());
    let usual = ["src/lib.rs", "src/main.rs", "build.rs"].map(String::from);
    let mut roots: BTreeSet<_> =
        usual.into_iter().chain(named).map(|name| format!("{folder}/{name}")).collect();
    let bins = format!("{folder}/src/bin/");
    let is_bin = |path: &&str| {
        path.strip_prefix(&bins).is_some_and(|name| !name.contains('/') && name.ends_with(".rs"))
    };
    roots.extend(tree.files().map(|file| file.path.as_str()).filter(is_bin).map(String::from));
    roots.retain(|root| tree.has(root));
    roots
}

/// The circles of what begins with this file.
fn of_root(tree: &Tree, root: &str) -> Vec<Violation> {
    let modules = match Modules::of(tree, root) {
        Ok(modules) => modules,
        Err(unread) => return vec![unread],
    };
    let mut graph = Graph::default();
    for (idx, module) in modules.all.iter().enumerate() {
        for path in &module.contents.paths {
            for target in modules.targets(idx, path) {
                graph.add(module.file, target, Edge { line: path.line, text: path.segments.join("::") });
            }
        }
    }
    graph.circles().into_iter().map(|circle| violation(&modules, &graph, &circle)).collect()
}

/// Tells of the shortest way round a circle, and how many other modules are in circles with those.
fn violation(modules: &Modules, graph: &Graph, members: &BTreeSet<usize>) -> Violation {
    let around = graph.shortest(members);
    let mut steps = Vec::new();
    for (n, from) in around.iter().enumerate() {
        let to = around[(n + 1) % around.len()];
        let Some(edge) = graph.edge(*from, to) else { continue };
        let (path, from, to) = (modules.path(*from), modules.name(*from), modules.name(to));
        steps.push(format!("{from} needs {to} ({path}:{}: `{}`)", edge.line, edge.text));
    }
    let others = match members.len() - around.len() {
        0 => String::new(),
        n => format!(", and {n} more are in circles with them"),
    };
    let first = around.first().copied().unwrap_or_default();
    let line = around.get(1).and_then(|second| graph.edge(first, *second)).map_or(1, |edge| edge.line);
    let what = format!(
        "a circle of {} modules{others}: {}; put what both sides need into a file of its own",
        around.len(),
        steps.join(", ")
    );
    Violation::new(modules.path(first), line, what)
}

#[cfg(test)]
mod tests;
