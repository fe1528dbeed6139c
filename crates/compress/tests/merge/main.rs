//! Checkpoints merged, against what mergekit makes of them.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::path::{Path, PathBuf};

use hala_compress::{CompressError, MergeConfig, Merged, merge};
use hala_tensor::DType;
use hala_weights::Checkpoint;

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
    let config: serde_json::Value =
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
