//! Rules for ops that only training has: they have no shader, and the browser's module does not get them.

use super::tree::{File, Tree};
use super::violation::Violation;
use crate::manifest;
use crate::project;

/// The folder of such ops, within those of the plan, of the CPU and of the tests; also the feature that they are behind.
const TRAINING: &str = "training";

const PLAN: &str = "crates/plan/src/ops/";
const CPU: &str = "crates/backend-cpu/src/ops/";
const TESTS: &str = "tests/ops/";
const SHADERS: &str = "shaders/";

/// The manifest whose dependencies' features every crate has that inherits them.
const WORKSPACE: &str = "Cargo.toml";

/// Each op of training has its plain CPU twin and its test, and no shader.
pub(super) fn twins(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (file, op) in tree.files().filter_map(|file| Some((file, op(file)?))) {
        for (folder, what) in [(CPU, "plain CPU twin"), (TESTS, "test")] {
            let twin = format!("{folder}{TRAINING}/{op}.rs");
            if !tree.has(&twin) {
                let what = format!("the op `{op}` of training has no {what}; write {twin}");
                found.push(Violation::new(&file.path, 1, what));
            }
        }
        let shaders = [format!("{SHADERS}{op}.wgsl"), format!("{SHADERS}{TRAINING}/{op}.wgsl")];
        found.extend(shaders.iter().filter(|shader| tree.has(shader)).map(|shader| {
            let what =
                format!("a shader of `{op}`, which only training has; remove it, or move the op to {PLAN}");
            Violation::new(shader, 1, what)
        }));
    }
    found
}

/// The op that a file defines for training alone.
fn op(file: &File) -> Option<&str> {
    let inner = file.path.strip_prefix(PLAN)?.strip_prefix(TRAINING)?;
    let op = inner.strip_prefix('/')?.strip_suffix(".rs")?;
    (op != "mod" && !op.contains('/')).then_some(op)
}

/// Ops of training are behind a feature, which none of the crates that browsers get turns on: neither in what it depends on, nor by a feature
/// of its own that has another name.
pub(super) fn apart(tree: &Tree) -> Vec<Violation> {
    let mut found: Vec<_> =
        [PLAN, CPU].iter().filter_map(|folder| always_there(tree, &format!("{folder}mod.rs"))).collect();
    let crates = project::of_browsers().map(|row| format!("crates/{}/Cargo.toml", row.name));
    for path in crates.chain([WORKSPACE.to_owned()]) {
        let text = tree.text(&path).unwrap_or_default();
        let own = manifest::features(text).into_iter().filter(|feature| feature.name != TRAINING);
        let turned_on = own.chain(manifest::features_of_dependencies(text));
        let turned_on = turned_on.filter(|feature| feature.turns_on.iter().any(|name| is_training(name)));
        found.extend(turned_on.map(|feature| {
            let what =
                format!("it turns `{TRAINING}` on, whose ops are not for browsers; leave it to who trains");
            Violation::new(&path, feature.line, what)
        }));
    }
    found
}

/// Whether a feature is that of training, or a dependency's: `training`, `hala-plan/training`.
fn is_training(feature: &str) -> bool {
    feature.rsplit('/').next() == Some(TRAINING)
}

/// Finds fault with a file that has the module without the feature before it.
fn always_there(tree: &Tree, path: &str) -> Option<Violation> {
    let lines: Vec<&str> = tree.text(path)?.lines().map(str::trim).collect();
    let module = format!("mod {TRAINING};");
    let idx = lines.iter().position(|line| line.ends_with(&module))?;
    let condition = format!("#[cfg(feature = \"{TRAINING}\")]");
    let is_behind = idx > 0 && lines[idx - 1] == condition;
    let what =
        format!("ops of training would be part of the browser's module; write `{condition}` before them");
    (!is_behind).then(|| Violation::new(path, idx + 1, what))
}

#[cfg(test)]
mod tests {
    use super::super::ops;
    use super::super::tests::said;
    use super::*;

    const WHOLE: [(&str, &str); 5] = [
        ("crates/plan/src/ops/training/mod.rs", ""),
        ("crates/plan/src/ops/training/adamw.rs", ""),
        ("crates/backend-cpu/src/ops/training/adamw.rs", ""),
        ("tests/ops/training/adamw.rs", ""),
        ("shaders/matmul.wgsl", ""),
    ];

    #[test]
    fn an_op_of_training_has_its_twins_and_needs_no_shader() {
        assert!(said(twins, &WHOLE).is_empty());
        assert!(said(ops::twins, &WHOLE).is_empty());
        let found = said(twins, &WHOLE[..3]);
        assert_eq!(
            found,
            [
                "crates/plan/src/ops/training/adamw.rs:1: the op `adamw` of training has no test; write tests/ops/training/adamw.rs"
            ]
        );
    }

    #[test]
    fn a_shader_is_refused_in_training_and_wanted_in_inference() {
        for shader in ["shaders/adamw.wgsl", "shaders/training/adamw.wgsl"] {
            let found = said(twins, &[&WHOLE[..], &[(shader, "")]].concat());
            assert!(
                found.len() == 1 && found[0].starts_with(&format!("{shader}:1: a shader of")),
                "{found:?}"
            );
        }
        let inference =
            ["crates/plan/src/ops/add.rs", "crates/backend-cpu/src/ops/add.rs", "tests/ops/add.rs"];
        let found = said(ops::twins, &[&WHOLE[..], &inference.map(|path| (path, ""))].concat());
        assert!(found.len() == 1 && found[0].contains("write shaders/add.wgsl"), "{found:?}");
    }

    #[test]
    fn ops_of_training_are_behind_a_feature() {
        let of = |module: &str| said(apart, &[("crates/backend-cpu/src/ops/mod.rs", module)]);
        assert!(of("mod add;\n#[cfg(feature = \"training\")]\npub mod training;\n").is_empty());
        let always = of("mod add;\npub mod training;\n");
        assert!(
            always.len() == 1 && always[0].starts_with("crates/backend-cpu/src/ops/mod.rs:2: "),
            "{always:?}"
        );
    }

    #[test]
    fn no_crate_that_browsers_get_turns_training_on() {
        let feature = "[features]\ntraining = [\"hala-plan/training\"]\n";
        let dev = "[dev-dependencies]\nhala-plan = { workspace = true, features = [\"training\"] }\n";
        for folder in ["plan", "backend-cpu", "engine", "hala", "wasm"] {
            let path = format!("crates/{folder}/Cargo.toml");
            let of = |text: &str| said(apart, &[(path.as_str(), text)]);
            assert!(of(&format!("{feature}{dev}")).is_empty(), "{folder}");
            for (text, line) in [
                ("[features]\ndefault = [\n\"wgpu\", \"training\",\n]\n", 2),
                ("[features]\nfast = [\"hala-plan?/training\"]\n", 2),
                ("[dependencies]\nhala-plan = { workspace = true, features = [\"training\"] }\n", 2),
                ("[dependencies.hala-plan]\nworkspace = true\nfeatures = [\"training\"]\n", 3),
            ] {
                let found = of(text);
                assert!(
                    found.len() == 1 && found[0].starts_with(&format!("{path}:{line}: ")),
                    "{text}: {found:?}"
                );
            }
        }
        let inherited = "[workspace.dependencies]\nhala-plan = { path = \"x\", features = [\"training\"] }\n";
        assert_eq!(said(apart, &[("Cargo.toml", inherited)]).len(), 1);
        let native = "[dependencies]\nhala-plan = { workspace = true, features = [\"training\"] }\n";
        assert!(said(apart, &[("crates/train/Cargo.toml", native)]).is_empty());
    }
}
