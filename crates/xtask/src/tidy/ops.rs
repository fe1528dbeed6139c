//! Rule: one op, one name. What the plan defines, every backend and the tests have a file for.

use super::tree::Tree;
use super::violation::Violation;

struct Twin {
    folder: &'static str,
    ending: &'static str,
    what: &'static str,
    /// False where the folder comes later: the rule starts with its first file.
    from_the_start: bool,
}

const TWINS: &[Twin] = &[
    Twin {
        folder: "crates/backend-cpu/src/ops/",
        ending: ".rs",
        what: "plain CPU twin",
        from_the_start: true,
    },
    Twin { folder: "tests/ops/", ending: ".rs", what: "test", from_the_start: true },
    Twin { folder: "shaders/", ending: ".wgsl", what: "shader", from_the_start: false },
];

pub(super) fn twins(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, _) in tree.texts(".rs") {
        let op = file.path.strip_prefix("crates/plan/src/ops/").and_then(|name| name.strip_suffix(".rs"));
        let Some(op) = op.filter(|op| *op != "mod" && !op.contains('/')) else { continue };
        for Twin { folder, ending, what, from_the_start } in TWINS {
            let twin = format!("{folder}{op}{ending}");
            if !tree.has(&twin) && (*from_the_start || tree.has_folder(folder)) {
                let message = format!("the op `{op}` has no {what}; write {twin}");
                found.push(Violation::new(&file.path, 1, message));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::said;
    use super::*;

    const WHOLE: [(&str, &str); 4] = [
        ("crates/plan/src/ops/mod.rs", ""),
        ("crates/plan/src/ops/add.rs", ""),
        ("crates/backend-cpu/src/ops/add.rs", ""),
        ("tests/ops/add.rs", ""),
    ];

    #[test]
    fn an_op_with_its_twins_is_in_order() {
        assert!(said(twins, &WHOLE).is_empty());
    }

    #[test]
    fn a_missing_twin_is_named() {
        let found = said(twins, &WHOLE[..3]);
        assert_eq!(found, ["crates/plan/src/ops/add.rs:1: the op `add` has no test; write tests/ops/add.rs"]);
    }

    #[test]
    fn a_shader_is_wanted_once_there_are_shaders() {
        let mut files = WHOLE.to_vec();
        files.push(("shaders/mul.wgsl", ""));
        let found = said(twins, &files);
        assert!(found.len() == 1 && found[0].contains("write shaders/add.wgsl"), "{found:?}");
    }
}
