//! `hala merge`: what is made runs here, and what is not supported is refused by name.

use std::path::{Path, PathBuf};

use tempfile::tempdir;

use crate::{Hala, hala, names};

/// A checkpoint of the merges' fixtures.
fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../compress/tests/fixtures/merge").join(name)
}

/// A run on a file in this folder, whose models are the fixtures `a` and `b`.
fn merge(folder: &Path, rest: &str) -> Hala {
    let models = ["a", "b"].map(|name| format!("{{ model: {} }}", model(name).display())).join(", ");
    let base = model("a").display().to_string();
    let config = folder.join("merge.yml");
    std::fs::write(&config, format!("models: [{models}]\nbase_model: {base}\n{rest}\n")).unwrap();
    hala(&["merge"]).arg(&config).arg(folder.join("out"))
}

#[test]
fn what_is_made_runs() {
    let folder = tempdir().unwrap();
    let run = merge(folder.path(), "merge_method: slerp\nparameters: { t: 0.5 }\ndtype: bfloat16");
    let merged = run.arg("--json").run().json();
    assert_eq!((merged["n_layers"].as_u64(), merged["n_tensors"].as_u64()), (Some(4), Some(40)), "{merged}");
    let out = folder.path().join("out");
    assert_eq!(names(&out), ["config.json", "mergekit_config.yml", "model.safetensors"]);
    let text = hala(&["generate", "--ids", "1,5,9", "--max-tokens", "3"]).model(&out).run().text();
    assert_eq!(text.split_whitespace().count(), 3, "{text}");
}

#[test]
fn parameters_of_other_methods_are_passed_over_with_a_word() {
    let folder = tempdir().unwrap();
    let parameters = "merge_method: slerp\nparameters: { t: 0.5, normalize: true, int8_mask: true }";
    let done = merge(folder.path(), parameters).run();
    assert!(
        done.stderr.contains("merge.yml") && done.stderr.contains("int8_mask, normalize"),
        "{}",
        done.stderr
    );
    done.text();
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let folder = tempdir().unwrap();
    let refused = |rest: &str, faults: &[&str]| merge(folder.path(), rest).run().refused(faults);
    refused("merge_method: ties", &["merge.yml", "ties", "slerp"]);
    refused("merge_method: slerp", &["t has no value"]);
    refused("merge_method: slerp\nparameters: { t: 0.5 }\nchat_template: auto", &["chat_template"]);
    refused("merge_method: slerp\nparameters: { t: 0.5, wieght: 1 }", &["wieght", "weight"]);
    refused("merge_method: slerp: x", &["merge.yml"]);
    hala(&["merge", "none.yml", "out"]).run().refused(&["none.yml"]);
    assert_eq!(names(folder.path()), ["merge.yml"]);
}
