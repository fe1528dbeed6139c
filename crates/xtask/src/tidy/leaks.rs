//! Rules against what belongs to one machine and not to the project: its paths, its neighbours, its registries.

use super::tree::{File, Tree};
use super::violation::Violation;

/// Names what it forbids, so it is not held against itself.
const SELF: &str = "crates/xtask/src/tidy/leaks.rs";

/// Folders at the root of one machine's disk. No test has a use for them either.
const OWN_FOLDERS: &[&str] = &["/work/", "/root/"];
/// Folders that every machine has and that a test may make up a path in.
const COMMON_FOLDERS: &[&str] = &["/home/", "/Users/", "/tmp/"];
/// A folder beside the checkout. Tests read it when it is there; `shaders/` has one of that name inside.
const NEIGHBOUR: &str = "shared";

const REGISTRY_HOSTS: &[&str] = &[
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "static.crates.io",
    "index.crates.io",
    "files.pythonhosted.org",
    "pypi.org/simple",
    "deb.debian.org",
    "proxy.golang.org",
];
/// Settings that point a package manager at a registry.
const REGISTRY_SETTINGS: &[&str] = &["index-url", "replace-with", "\"resolved\": \"http"];
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// No file tells where it lay on one machine, nor leans on what lies outside the checkout.
pub(super) fn machine_paths(tree: &Tree) -> Vec<Violation> {
    each_line(tree, |file, line, in_tests| {
        let shared = if in_tests { &[] } else { COMMON_FOLDERS };
        let folder = OWN_FOLDERS.iter().chain(shared).find(|folder| has_absolute(line, folder));
        if let Some(folder) = folder {
            return Some(format!(
                "a path under `{folder}`, which is one machine's; make it relative, or ask the system for the folder"
            ));
        }
        let leans = !in_tests && leans_on_neighbour(&file.path, line);
        leans.then(|| format!("`{NEIGHBOUR}/` lies outside the checkout; only tests may look there"))
    })
}

/// No file names the host that packages came from: that is each user's own setting.
pub(super) fn registries(tree: &Tree) -> Vec<Violation> {
    each_line(tree, |file, line, _| {
        let named = REGISTRY_HOSTS.iter().chain(REGISTRY_SETTINGS).find(|text| line.contains(**text));
        if let Some(text) = named {
            return Some(format!(
                "`{text}` names a package registry; leave that to each user's settings \
                 (npm: `omit-lockfile-registry-resolved=true` in .npmrc)"
            ));
        }
        let source = line.split_once("source = \"").filter(|_| file.path.ends_with("Cargo.lock"))?.1;
        let foreign = !source.starts_with(CRATES_IO) && !source.starts_with("git+");
        foreign.then(|| {
            String::from("a package from a registry that is not crates.io; remove it from Cargo.lock")
        })
    })
}

fn each_line(tree: &Tree, rule: impl Fn(&File, &str, bool) -> Option<String>) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in tree.files().filter(|file| file.path != SELF) {
        for (line_no, line, in_tests) in file.lines() {
            if let Some(what) = rule(file, line, in_tests) {
                found.push(Violation::new(&file.path, line_no, what));
            }
        }
    }
    found
}

/// Whether `line` has a path that begins with `folder`, not merely one that passes through such a name.
fn has_absolute(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"_-.~$}*>".contains(c))
    })
}

fn leans_on_neighbour(path: &str, line: &str) -> bool {
    let among_shaders = path.starts_with("shaders/") || path.starts_with("crates/shaders/");
    line.match_indices(NEIGHBOUR).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + NEIGHBOUR.len()..]);
        let goes_up = before.ends_with("../") && !after.starts_with(|c: char| c.is_alphanumeric());
        let begins = !before.ends_with(|c: char| c.is_alphanumeric() || "_-/.".contains(c));
        goes_up || (begins && after.starts_with('/') && !among_shaders)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_refused_everywhere() {
        for text in ["cd /work/main", "\"/root/.cache\"", "PATH=/root/bin"] {
            assert_eq!(said(machine_paths, &[("README.md", text)]).len(), 1, "{text}");
            assert_eq!(said(machine_paths, &[("tests/a.rs", text)]).len(), 1, "{text}");
        }
    }

    #[test]
    fn a_made_up_home_is_for_tests_only() {
        let text = "let home = \"/home/someone\";";
        assert_eq!(said(machine_paths, &[("src/a.rs", text)]).len(), 1);
        assert!(said(machine_paths, &[("tests/a.rs", text)]).is_empty());
        assert!(
            said(machine_paths, &[("src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n{text}\n}}"))])
                .is_empty()
        );
    }

    #[test]
    fn a_path_through_such_a_name_is_no_path_of_a_machine() {
        for text in ["docs/work/plan.md", "https://example.org/home/", "~/work/", "../root/x", "$X/tmp/"] {
            assert!(said(machine_paths, &[("README.md", text)]).is_empty(), "{text}");
        }
    }

    #[test]
    fn the_folder_beside_the_checkout_is_for_tests_only() {
        for text in ["see ../shared/facts", "root.join(\"../shared\")", "in shared/models/ lies"] {
            assert_eq!(said(machine_paths, &[("src/a.rs", text)]).len(), 1, "{text}");
            assert!(said(machine_paths, &[("tests/a.rs", text)]).is_empty(), "{text}");
        }
        for (path, text) in
            [("README.md", "shaders/shared/sum.wgsl"), ("shaders/a.wgsl", "include shared/sum.wgsl")]
        {
            assert!(said(machine_paths, &[(path, text)]).is_empty(), "{text}");
        }
    }

    #[test]
    fn registries_are_refused_but_crates_io_as_the_lock_file_names_it() {
        let lock = "\"resolved\": \"https://registry.npmjs.org/x\"";
        assert_eq!(said(registries, &[("package-lock.json", lock)]).len(), 1);
        assert!(said(registries, &[("Cargo.lock", &format!("source = \"{CRATES_IO}\""))]).is_empty());
        assert_eq!(said(registries, &[("Cargo.lock", "source = \"sparse+https://mirror/\"")]).len(), 1);
    }
}
