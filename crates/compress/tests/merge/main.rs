//! Checkpoints merged, against what mergekit makes of them.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::path::{Path, PathBuf};

use hala_compress::{CompressError, MergeConfig, Merged, merge};
use hala_tensor::DType;
use hala_weights::Checkpoint;
use serde_json::Value;

/// ‖x − y‖ / ‖x‖ of one tensor in f32: sums in another order.
const F32: f64 = 1e-6;
/// The same in bf16, where results that are nearly halfway are rounded to the other side: one of these small tensors' values.
const BF16: f64 = 2e-3;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/merge").join(name)
}

/// Merges as a fixture's file says, after a change to its text.
fn run(name: &str, change: impl Fn(String) -> String, out: &Path) -> Result<Merged, CompressError> {
    let text = change(std::fs::read_to_string(fixture(&format!("{name}.yml"))).unwrap());
    let config = MergeConfig::parse(name, &text)?;
    let models = config.models().into_iter().map(|model| Checkpoint::open(&fixture(model)));
    merge(&config, models.collect::<Result<_, _>>()?, out, 2, &mut |_| true)
}

/// The largest relative error of any tensor.
fn compare(name: &str, out: &Path) -> f64 {
    let [found, expected] = [out.to_owned(), fixture(&format!("{name}.safetensors"))]
        .map(|path| Checkpoint::open(&path).unwrap());
    assert_eq!(
        found.tensor_names().collect::<Vec<_>>(),
        expected.tensor_names().collect::<Vec<_>>(),
        "{name}"
    );
    let error = |tensor: &str| {
        let [x, y] = [&expected, &found].map(|c| {
            assert_eq!(found.stored_dtype(tensor).unwrap(), expected.stored_dtype(tensor).unwrap());
            c.load(tensor, DType::F32).unwrap()
        });
        assert_eq!(x.shape(), y.shape());
        let squares =
            |values: &mut dyn Iterator<Item = f32>| values.map(|x| f64::from(x).powi(2)).sum::<f64>();
        let (x, y) = (x.to_f32(), y.to_f32());
        (squares(&mut x.iter().zip(&y).map(|(x, y)| x - y)) / squares(&mut x.iter().copied())).sqrt()
    };
    expected.tensor_names().map(error).fold(0.0, f64::max)
}

#[test]
fn slerp_is_mergekits() {
    for (name, most) in [("half", F32), ("list", F32), ("slices", F32), ("filters", BF16)] {
        let out = tempfile::tempdir().unwrap();
        let merged = run(name, |text| text, out.path()).unwrap();
        assert_eq!(merged.n_layers, if name == "slices" { 6 } else { 4 });
        let error = compare(name, out.path());
        assert!(error <= most, "{name}: {error}");
    }
}

#[test]
fn linear_is_mergekits() {
    let out = tempfile::tempdir().unwrap();
    run("linear", |text| text, out.path()).unwrap();
    let error = compare("linear", out.path());
    assert!(error <= F32, "{error}");
}

#[test]
fn slices_bring_the_kinds_of_their_layers() {
    let out = tempfile::tempdir().unwrap();
    run("slices", |text| text, out.path()).unwrap();
    let config: Value =
        serde_json::from_slice(&std::fs::read(out.path().join("config.json")).unwrap()).unwrap();
    let [conv, attention] = ["conv", "full_attention"];
    let kinds = [conv, attention, conv, attention, conv, attention];
    assert_eq!(config["layer_types"], serde_json::json!(kinds));
    assert_eq!(config["num_hidden_layers"], 6);
    assert_eq!(config["dtype"], "float32");
}

#[test]
fn what_does_not_fit_is_named_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, from: &str, to: &str, word: &str| {
        let change = |text: String| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        };
        let message = run(name, change, &folder.path().join("out")).unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{message}");
    };
    refused("half", "t: 0.5", "t: 1.5", "from 0 to 1");
    refused("half", "t: 0.5", "t: [{ filter: self_attn, value: 1 }]", "t has no value for model.embed");
    refused("slices", "[1, 4]", "[1, 5]", "which has 4 layers");
    refused("linear", "{ weight: 0.25 }", "{}", "weight has no value");
    // Layers of another kind have other tensors.
    let text = "{ model: b, layer_range: [1, 4] }";
    refused("slices", text, "{ model: b, layer_range: [0, 3] }", "model.layers.0.");
}

/// The models of a family's merge of slices, after a change to their config.json.
fn families_models(family: &str, folder: &Path, change: impl Fn(&str, &mut Value)) -> Vec<Checkpoint> {
    let open = |name: &str| {
        let (from, to) = (fixture(family).join(name), folder.join(name));
        std::fs::create_dir_all(&to).unwrap();
        std::fs::copy(from.join("model.safetensors"), to.join("model.safetensors")).unwrap();
        let mut config = config(&from);
        change(name, &mut config);
        std::fs::write(to.join("config.json"), config.to_string()).unwrap();
        Checkpoint::open(&to).unwrap()
    };
    ["a", "b"].map(open).into()
}

fn config(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("config.json")).unwrap()).unwrap()
}

/// Merges the slices of a family.
fn merge_slices(models: Vec<Checkpoint>, out: &Path) {
    let text = std::fs::read_to_string(fixture("slices-of-families.yml")).unwrap();
    let merged = merge(&MergeConfig::parse("slices", &text).unwrap(), models, out, 1, &mut |_| true).unwrap();
    assert_eq!(merged.n_layers, 5);
}

#[test]
fn what_comes_before_layers_is_the_first_slices_and_what_comes_after_the_last_ones() {
    for family in ["gemma2", "cohere2"] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        merge_slices(families_models(family, folder.path(), |_, _| {}), &out);
        let error = compare(&format!("{family}/slices"), &out);
        assert!(error <= F32, "{family}: {error}");
        // What is made is a model here.
        hala_model::open(&Checkpoint::open(&out).unwrap(), hala_model::Options::default()).unwrap();
    }
}

#[test]
fn a_layers_kind_comes_with_it_out_of_the_model_that_it_is_of() {
    let [sliding, full] = ["sliding_attention", "full_attention"];
    for (family, kinds) in [
        ("gemma2", [sliding, full, sliding, full, sliding]),
        ("cohere2", [sliding, sliding, sliding, sliding, full]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let pattern = |_: &str, config: &mut Value| {
            if family == "cohere2" {
                config["sliding_window_pattern"] = 4.into();
            }
        };
        merge_slices(families_models(family, folder.path(), pattern), &out);
        let config = config(&out);
        assert_eq!(config["layer_types"], serde_json::json!(kinds), "{family}");
        assert_eq!(config["num_hidden_layers"], 5);
        assert!(config["sliding_window_pattern"].is_null(), "{config}");
    }
}

#[test]
fn old_lists_of_attention_layers_follow_the_slices() {
    let folder = tempfile::tempdir().unwrap();
    let text = "slices:\n  - sources: [{ model: a, layer_range: [1, 4] }]\n  - sources: [{ model: b, layer_range: [1, 4] }]\n\
                merge_method: linear\nparameters: { weight: 1, int8_mask: true }\n";
    let merging = MergeConfig::parse("old", text).unwrap();
    let models = ["a", "b"].map(|name| {
        let to = folder.path().join(name);
        std::fs::create_dir_all(&to).unwrap();
        let from = fixture(name);
        std::fs::copy(from.join("model.safetensors"), to.join("model.safetensors")).unwrap();
        let mut config = config(&from);
        config.as_object_mut().unwrap().remove("layer_types");
        config["full_attn_idxs"] = serde_json::json!([1, 3]);
        std::fs::write(to.join("config.json"), config.to_string()).unwrap();
        Checkpoint::open(&to).unwrap()
    });
    let out = folder.path().join("out");
    merge(&merging, models.into(), &out, 1, &mut |_| true).unwrap();
    let config = config(&out);
    assert_eq!(config["full_attn_idxs"], serde_json::json!([0, 2, 3, 5]));
    assert!(config.get("layer_types").is_none(), "{config}");
    let made = Checkpoint::open(&out).unwrap();
    hala_model::open(&made, hala_model::Options::default()).unwrap();
    // As mergekit has it, LFM2's last norm is not among what comes after the layers.
    let norm = |checkpoint: &Checkpoint| checkpoint.load("model.embedding_norm.weight", DType::F32).unwrap();
    assert_eq!(norm(&made).to_f32(), norm(&Checkpoint::open(&fixture("a")).unwrap()).to_f32());
}
