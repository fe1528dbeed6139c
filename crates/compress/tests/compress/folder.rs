//! The folder that is made: all files, nothing half-written, gone on with after an interruption.

use hala_compress::{CompressError, Recipe, Run, compress};
use hala_weights::Checkpoint;

use crate::files::{contents, folder, recipe, run};

/// One thread, so that steps come one by one.
const ONE: Run<'static> = Run { n_threads: 1, calibration: None };

#[test]
fn other_files_are_copied_and_other_weights_are_not() {
    let input =
        folder(&[("tokenizer.json", b"{}"), ("chat_template.jinja", b"x"), ("pytorch_model.bin", b"old")]);
    let out = input.path().join("out");
    run(input.path(), &out, &recipe("int8")).unwrap();
    let names: Vec<String> = contents(&out).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["chat_template.jinja", "config.json", "model.safetensors", "tokenizer.json"]);
    assert!(!input.path().join("out.partial").exists());
}

#[test]
fn work_that_was_stopped_is_gone_on_with_and_ends_the_same() {
    let input = folder(&[]);
    let recipe = recipe("int4-w4a16");
    let checkpoint = Checkpoint::open(input.path()).unwrap();
    let whole = input.path().join("whole");
    compress(&checkpoint, &whole, &recipe, ONE, &mut |_| true).unwrap();
    let out = input.path().join("out");
    let mut n_stops = 0;
    for most in 1.. {
        let mut n_steps = 0;
        let mut step = |_: hala_compress::Progress<'_>| {
            n_steps += 1;
            n_steps < most
        };
        match compress(&checkpoint, &out, &recipe, ONE, &mut step) {
            Ok(_) => break,
            Err(CompressError::Cancelled { path }) => {
                assert!(path.ends_with("out") && !out.exists());
                n_stops += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(n_stops >= 2, "{n_stops} stops");
    assert_eq!(contents(&out), contents(&whole));
}

#[test]
fn what_is_left_of_other_work_is_not_gone_on_with() {
    let input = folder(&[]);
    let out = input.path().join("out");
    let checkpoint = Checkpoint::open(input.path()).unwrap();
    compress(&checkpoint, &out, &recipe("int8"), ONE, &mut |_| false).unwrap_err();
    let error = run(input.path(), &out, &recipe("fp8-dynamic")).unwrap_err();
    assert!(matches!(&error, CompressError::OtherRun { what, .. } if what == "recipe"), "{error}");
    // The work itself can still be ended.
    run(input.path(), &out, &recipe("int8")).unwrap();
}

#[test]
fn a_folder_that_is_there_is_not_touched() {
    let input = folder(&[]);
    let error = run(input.path(), input.path(), &recipe("int8")).unwrap_err();
    assert!(matches!(error, CompressError::Exists { .. }), "{error}");
    // An empty one is as good as none.
    let out = input.path().join("empty");
    std::fs::create_dir(&out).unwrap();
    run(input.path(), &out, &recipe("int8")).unwrap();
}

#[test]
fn a_recipe_of_several_schemes_is_read_back() {
    let input = folder(&[]);
    let text = "
groups:
  - { scheme: int4-w4a16, group: 32, targets: ['re:.*feed_forward'] }
  - { scheme: int8-w8a16, targets: [Embedding] }
  - { scheme: fp8-dynamic }
";
    let out = input.path().join("out");
    let report = run(input.path(), &out, &Recipe::parse("recipe.yml", text).unwrap()).unwrap();
    let schemes: Vec<_> = report.modules.iter().map(|m| m.scheme.as_str()).collect();
    let int4 = "int4-w4a16 in groups of 32";
    assert_eq!(schemes, ["int8-w8a16", "fp8-dynamic", int4, int4, int4, "fp8-dynamic", "fp8-dynamic"]);
    let config = std::fs::read_to_string(out.join("config.json")).unwrap();
    assert!(config.contains("mixed-precision") && config.contains("pack-quantized"), "{config}");
}

#[test]
fn shards_stay_shards_with_an_index_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let sharded = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/lfm2/sharded");
    let out = folder.path().join("out");
    run(&sharded, &out, &recipe("int8-w8a16")).unwrap();
    let [before, after] = [&sharded, &out].map(|path| Checkpoint::open(path).unwrap());
    let files = |c: &Checkpoint| c.weight_files().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    assert_eq!(files(&after), files(&before));
    assert_eq!(after.tensor_names().collect::<Vec<_>>(), before.tensor_names().collect::<Vec<_>>());
    let index = std::fs::read_to_string(out.join("model.safetensors.index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    assert_eq!(index["metadata"]["total_size"].as_u64(), Some(after.n_bytes() as u64));
}
