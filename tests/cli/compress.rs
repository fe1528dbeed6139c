//! `hala compress`: what is made runs here, the errors are told, and what is wrong is refused before work begins.

use std::path::{Path, PathBuf};

use hala_tests::fixtures::Fixture;
use tempfile::tempdir;

use crate::checkpoint::two_layer;
use crate::logits::read;
use crate::{Hala, demo_folder, hala, names};

/// The relative error of logits, ‖x − y‖ / ‖x‖: twice what two layers make of the codes' own errors. A wrong format or scale makes it 1.
const SCHEMES: [(&[&str], f32); 5] = [
    (&["--scheme", "fp8-dynamic"], 0.2),
    (&["--scheme", "fp8-block"], 0.2),
    (&["--scheme", "int8"], 0.05),
    (&["--scheme", "int8-w8a16"], 0.05),
    (&["--scheme", "int4-w4a16", "--group", "16"], 0.6),
];

fn compress(input: &Path, out: &Path, options: &[&str]) -> Hala {
    hala(&["compress"]).arg(input).arg(out).args(options)
}

fn logits(model: &Path, folder: &Path) -> Vec<f32> {
    let path = folder.join("logits.safetensors");
    let run =
        hala(&["logits", "--ids", "1,5,9,60,33,2", "--backend", "plain", "--out"]).arg(&path).model(model);
    assert_eq!(run.run().text(), "");
    read(&path).1
}

fn relative_error(x: &[f32], y: &[f32]) -> f32 {
    let sum = |squares: &mut dyn Iterator<Item = f32>| squares.sum::<f32>();
    let noise = sum(&mut x.iter().zip(y).map(|(x, y)| (x - y).powi(2)));
    (noise / sum(&mut x.iter().map(|x| x * x))).sqrt()
}

#[test]
fn what_is_made_runs() {
    SCHEMES.into_iter().for_each(|(options, most)| check_run(&two_layer(), options, most));
}

#[test]
fn the_other_families_are_compressed_too() {
    for (family, name, group) in
        [("lfm3", "no-sandwich", "8"), ("gemma2", "two-layer", "16"), ("cohere2", "four-layer", "16")]
    {
        let fixture = Fixture::new(family, name);
        check_run(&fixture.path, &["--scheme", "fp8-dynamic"], 0.2);
        check_run(&fixture.path, &["--scheme", "int4-w4a16", "--group", group], 0.6);
    }
}

/// Compresses a model and compares the logits of both.
fn check_run(model: &Path, options: &[&str], most: f32) {
    let folder = tempdir().unwrap();
    let floats = {
        let path = folder.path().join("floats.safetensors");
        let run =
            hala(&["logits", "--ids", "1,5,9,60,33,2", "--weights", "f32", "--out"]).arg(&path).model(model);
        assert_eq!(run.run().text(), "");
        read(&path).1
    };
    let out = folder.path().join("out");
    let report = compress(model, &out, options).arg("--json").run().json();
    assert!(report["relative_error"].as_f64().unwrap() > 1e-3, "{report}");
    assert!(report["n_bytes_after"].as_u64() < report["n_bytes_before"].as_u64(), "{report}");
    let error = relative_error(&floats, &logits(&out, folder.path()));
    assert!(error > 0.0 && error < most, "{options:?}: {error}");
}

#[test]
fn errors_are_told_in_words_and_files() {
    let folder = tempdir().unwrap();
    let [out, json, html] = ["out", "r.json", "r.html"].map(|name| folder.path().join(name));
    let run =
        compress(&two_layer(), &out, &["--scheme", "int8", "--ignore", r".*\.conv\.(in_proj|out_proj)$"]);
    let text = run.arg("--report").arg(&json).arg("--report").arg(&html).run().text();
    assert!(text.contains("10 matrices") && text.contains("the largest errors"), "{text}");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(report["modules"].as_array().unwrap().len(), 10);
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(
        page.contains("<svg") && page.contains("self_attn.q_proj") && !page.contains("conv.in_proj"),
        "{page}"
    );
}

#[test]
fn a_recipe_gives_a_scheme_to_each_kind_of_module() {
    let folder = tempdir().unwrap();
    let recipe = folder.path().join("recipe.yml");
    std::fs::write(
        &recipe,
        "groups:\n  - scheme: int8-w8a16\n    targets: [Embedding]\n  - scheme: fp8-dynamic\n",
    )
    .unwrap();
    let out = folder.path().join("out");
    let run = compress(&two_layer(), &out, &["--json", "--recipe"]).arg(&recipe);
    let report = run.run().json();
    assert_eq!(report["modules"][0]["scheme"], "int8-w8a16");
    assert_eq!(report["modules"][1]["scheme"], "fp8-dynamic");
    logits(&out, folder.path());
}

#[test]
fn bad_input_is_refused_and_nothing_is_left() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out");
    let refused = |input: &Path, options: &[&str], faults: &[&str]| {
        compress(input, &out, options).run().refused(faults);
    };
    refused(&two_layer(), &["--scheme", "fp4"], &["fp4", "fp8-dynamic"]);
    refused(&two_layer(), &[], &["--scheme"]);
    refused(&two_layer(), &["--scheme", "int8", "--group", "64"], &["--group", "int8"]);
    refused(&two_layer(), &["--scheme", "int4-w4a16"], &["groups of 128", "--ignore"]);
    refused(&two_layer(), &["--scheme", "int8", "--ignore", "("], &["--ignore", "regular expression"]);
    refused(&two_layer(), &["--scheme", "int8", "--report", "r.pdf"], &["r.pdf", ".html"]);
    refused(&folder.path().join("none"), &["--scheme", "int8"], &["none"]);
    assert_eq!(names(folder.path()), [""; 0]);
    compress(&two_layer(), folder.path(), &["--scheme", "int8"]).run().text();
    compress(&two_layer(), folder.path(), &["--scheme", "int8"]).run().refused(&["exists"]);
}

#[test]
fn a_text_tells_what_compression_did() {
    let folder = tempdir().unwrap();
    let [floats, out, text] = ["floats", "out", "text.txt"].map(|name| folder.path().join(name));
    hala(&["convert", "--type", "f32"]).arg(demo_folder()).arg(&floats).run().text();
    std::fs::write(&text, "صباح الخير. Good morning. أين المحطة؟ Where is the station?\n".repeat(3)).unwrap();
    let run = compress(&floats, &out, &["--scheme", "fp8-dynamic", "--json", "--eval"]).arg(&text);
    let eval = &run.run().json()["eval"];
    let number = |key: &str| eval[key].as_f64().unwrap();
    assert!(number("n_tokens") > 30.0 && number("top1") > 0.8, "{eval}");
    assert!((1e-5..0.1).contains(&number("kl_divergence")), "{eval}");
    assert!((number("perplexity_after") / number("perplexity_before") - 1.0).abs() < 0.1, "{eval}");
    // Inputs have their ranges from a text.
    let calibrated = folder.path().join("static");
    compress(&floats, &calibrated, &["--scheme", "fp8-static", "--calibrate"]).arg(&text).run().text();
    let inspected = hala(&["inspect", "--json"]).arg(&calibrated).run().json();
    assert_eq!(inspected["unsupported"], serde_json::json!([]), "{inspected}");
    let weights = std::fs::read(calibrated.join("model.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&weights).unwrap();
    let scale = file.tensor("model.layers.0.feed_forward.w2.input_scale").unwrap();
    let scale = f32::from_le_bytes(scale.data().try_into().unwrap());
    assert!(scale > 1e-4 && scale < 10.0, "{scale}");
    let dynamic = compress(&floats, &out, &["--scheme", "fp8-dynamic", "--calibrate"]).arg(&text);
    dynamic.run().refused(&["--calibrate", "fp8-static"]);
    compress(&floats, &out, &["--scheme", "fp8-static"]).run().refused(&["--calibrate"]);
    // Refused before the work: nothing to score, nothing to read it with.
    let refused = |input: &Path, text: &str, faults: &[&str]| {
        let file = folder.path().join("other.txt");
        std::fs::write(&file, text).unwrap();
        let out = folder.path().join("none");
        compress(input, &out, &["--scheme", "int8", "--eval"]).arg(&file).run().refused(faults);
        assert!(!out.exists());
    };
    refused(&floats, "", &["--eval", "other.txt", "tokens"]);
    refused(&two_layer(), "a text", &["--eval", "tokenizer"]);
}

/// The built-in model in floats and the text of its golden sentences, in a folder.
fn floats_and_text(folder: &Path) -> [PathBuf; 2] {
    let [floats, text] = ["floats", "text.txt"].map(|name| folder.join(name));
    hala(&["convert", "--type", "f32"]).arg(demo_folder()).arg(&floats).run().text();
    let pair =
        |row: &serde_json::Value| ["source", "target"].map(|key| row[key].as_str().unwrap().to_owned());
    let sentences: Vec<_> = crate::golden().iter().flat_map(pair).collect();
    std::fs::write(&text, sentences.join("\n")).unwrap();
    [floats, text]
}

#[test]
fn smoothing_changes_norms_and_keeps_what_the_model_says() {
    let folder = tempdir().unwrap();
    let ([floats, text], out) = (floats_and_text(folder.path()), folder.path().join("out"));
    let run = compress(&floats, &out, &["--scheme", "int8", "--json", "--smooth", "--calibrate"]).arg(&text);
    let report = run.arg("--eval").arg(&text).run().json();
    let modules = report["modules"].as_array().unwrap();
    for module in modules {
        let [name, scheme] = ["module", "scheme"].map(|key| module[key].as_str().unwrap());
        let is_behind_norm =
            ["w1", "w3", "in_proj", "q_proj", "k_proj", "v_proj"].iter().any(|end| name.ends_with(end));
        assert_eq!(scheme.contains("smoothed"), is_behind_norm, "{name}: {scheme}");
    }
    assert!(report["eval"]["kl_divergence"].as_f64().unwrap() < 1e-3, "{report}");
    // Other engines round inputs to int8, which costs more than the weights do.
    let rounded = report["eval"]["rounded_inputs"]["kl_divergence"].as_f64().unwrap();
    assert!(rounded > 1e-3 && rounded < 1e-2, "{report}");
    let norm = |folder: &Path| {
        let file = std::fs::read(folder.join("model.safetensors")).unwrap();
        let file = safetensors::SafeTensors::deserialize(&file).unwrap();
        file.tensor("model.layers.0.ffn_norm.weight").unwrap().data().to_vec()
    };
    assert_ne!(norm(&floats), norm(&out));

    let out = folder.path().join("none");
    let refused = |options: &[&str], faults: &[&str]| {
        compress(&floats, &out, options).arg("--calibrate").arg(&text).run().refused(faults);
        assert!(!out.exists());
    };
    refused(&["--scheme", "int8", "--smooth", "1.5"], &["--smooth", "1.5", "from 0 to 1"]);
    refused(&["--scheme", "fp8-static", "--smooth"], &["--smooth", "int8"]);
    compress(&floats, &out, &["--scheme", "int8", "--smooth"]).run().refused(&["--calibrate"]);
}

#[test]
fn a_text_of_calibration_finds_codes_by_gptq() {
    let folder = tempdir().unwrap();
    let ([floats, text], out) = (floats_and_text(folder.path()), folder.path().join("out"));
    let options = ["--scheme", "int4-w4a16", "--group", "32", "--json", "--calibrate"];
    let report = compress(&floats, &out, &options).arg(&text).arg("--eval").arg(&text).run().json();
    let modules = report["modules"].as_array().unwrap();
    let is_gptq = |module: &serde_json::Value| module["scheme"].as_str().unwrap().ends_with("by GPTQ");
    assert!(modules.iter().all(is_gptq), "{report}");
    // Nearer to what was computed, the weights themselves are further away than rounding would have them (0.095).
    let [error, divergence] =
        [&report["relative_error"], &report["eval"]["kl_divergence"]].map(|x| x.as_f64().unwrap());
    assert!((0.1..0.2).contains(&error) && divergence < 0.06, "{error}, {divergence}");
}
