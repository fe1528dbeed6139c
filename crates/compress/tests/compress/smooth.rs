//! Inputs smoothed by SmoothQuant, with channels that a test makes up.

use std::collections::BTreeMap;
use std::path::Path;

use hala_compress::{Calibration, CompressError, NormedInputs, Recipe, Report, Run, compress};
use hala_tensor::DType;
use hala_weights::Checkpoint;

use crate::files::{contents, fixture, scheme};

const LAYER: &str = "model.layers.0.";

/// Inputs as `make_compress.py` has them.
struct Inputs;

impl Calibration for Inputs {
    fn fingerprint(&self) -> String {
        "made up".to_owned()
    }

    /// Of channels that have nothing to do with each other.
    fn hessians(&self, weights: &[(&str, usize)]) -> Result<BTreeMap<String, Vec<f32>>, String> {
        let hessian = |&(name, n): &(&str, usize)| {
            let h = (0..n * n).map(|i| if i % (n + 1) == 0 { largest(i / n).powi(2) } else { 0.0 });
            (name.to_owned(), h.collect())
        };
        Ok(weights.iter().map(hessian).collect())
    }

    fn normed_inputs(&self) -> Result<Vec<NormedInputs>, String> {
        let of = |norm: &str, affine, weights: &[&str]| NormedInputs {
            norm: format!("{LAYER}{norm}.weight"),
            affine,
            weights: weights.iter().map(|weight| format!("{LAYER}{weight}.weight")).collect(),
            largest: (0..64).map(largest).collect(),
        };
        Ok(vec![
            of("operator_norm", [1.0, 0.0], &["conv.in_proj"]),
            of("ffn_norm", [1.0, 1.0], &["feed_forward.w1", "feed_forward.w3"]),
        ])
    }
}

fn largest(channel: usize) -> f32 {
    (1 + channel % 7).pow(2) as f32 / 8.0
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixture("config.json"), folder.path().join("config.json")).unwrap();
    std::fs::copy(fixture("smooth/model.safetensors"), folder.path().join("model.safetensors")).unwrap();
    folder
}

fn run(input: &Path, ignore: &[String]) -> Result<Report, CompressError> {
    let recipe = Recipe::of_scheme(scheme("int8"), ignore)?.with_smoothing(0.5).unwrap();
    let run = Run { n_threads: 2, calibration: Some(&Inputs) };
    compress(&Checkpoint::open(input)?, &input.join("out"), &recipe, run, &mut |_| true)
}

#[test]
fn norms_and_codes_are_those_of_torch() {
    let input = folder();
    let report = run(input.path(), &[]).unwrap();
    assert!(report.modules.iter().all(|m| m.scheme == "int8, smoothed, by GPTQ"), "{report:?}");
    assert!(report.relative_error() < 0.01, "{report:?}");
    let found = Checkpoint::open(&input.path().join("out/model.safetensors")).unwrap();
    let expected = Checkpoint::open(&fixture("smooth/int8.safetensors")).unwrap();
    let mut n_compared = 0;
    for tensor in expected.weight_files().flat_map(|(_, tensors)| tensors) {
        let [found, expected] = [&found, &expected].map(|c| c.tensor(&tensor.name).unwrap());
        assert_eq!((found.shape(), found.file_dtype()), (expected.shape(), expected.file_dtype()));
        // With inputs that have nothing to do with each other GPTQ rounds to the nearest, but in f32 where torch divides in bf16.
        if found.file_dtype() == hala_weights::FileDType::I8 {
            let pairs = found.bytes().unwrap().iter().zip(expected.bytes().unwrap());
            let n_off = pairs.clone().filter(|(a, b)| a != b).count();
            assert!(pairs.clone().all(|(a, b)| (*a as i8).abs_diff(*b as i8) <= 1), "{}", tensor.name);
            assert!(n_off * 8 < found.bytes().unwrap().len(), "{}: {n_off}", tensor.name);
        } else {
            assert!(found.bytes().unwrap() == expected.bytes().unwrap(), "{}", tensor.name);
        }
        n_compared += 1;
    }
    assert_eq!(n_compared, 8);
}

#[test]
fn products_stay_what_they_were() {
    let input = folder();
    run(input.path(), &[]).unwrap();
    let [before, after] =
        [input.path().to_owned(), input.path().join("out")].map(|path| Checkpoint::open(&path).unwrap());
    for (norm, weight, offset) in
        [("operator_norm", "conv.in_proj", 0.0), ("ffn_norm", "feed_forward.w3", 1.0)]
    {
        // Column by column, the norm times the matrix.
        let [x, y] = [&before, &after].map(|c| {
            let load = |name: &str| c.load(&format!("{LAYER}{name}.weight"), DType::F32).unwrap().to_f32();
            let norm: Vec<f32> = load(norm).iter().map(|w| w + offset).collect();
            let rows = load(weight);
            rows.chunks(64).flat_map(|row| row.iter().zip(&norm).map(|(w, n)| w * n)).collect::<Vec<_>>()
        });
        let norm = |x: &[f32]| x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let differences: Vec<f32> = x.iter().zip(&y).map(|(x, y)| x - y).collect();
        assert!(norm(&differences) < 0.03 * norm(&x), "{weight}: {}", norm(&differences) / norm(&x));
    }
}

#[test]
fn a_norm_with_a_matrix_that_is_left_as_it_is_stays_as_it_is() {
    let input = folder();
    run(input.path(), &["re:.*w3$".to_owned()]).unwrap_err();
    run(input.path(), &["re:.*feed_forward".to_owned()]).unwrap();
    let [before, after] =
        [input.path().to_owned(), input.path().join("out")].map(|path| Checkpoint::open(&path).unwrap());
    for (norm, is_same) in [("operator_norm", false), ("ffn_norm", true)] {
        let [x, y] =
            [&before, &after].map(|c| c.tensor(&format!("{LAYER}{norm}.weight")).unwrap().bytes().unwrap());
        assert_eq!(x == y, is_same, "{norm}");
    }
}

#[test]
fn what_cannot_be_smoothed_is_named_and_nothing_is_left() {
    let input = folder();
    let before = contents(input.path());
    let recipe = || Recipe::of_scheme(scheme("int8"), &[]).unwrap();
    for strength in [-0.1, 1.5, f32::NAN] {
        assert!(recipe().with_smoothing(strength).unwrap_err().contains("from 0 to 1"));
    }
    let fp8 = Recipe::of_scheme(scheme("fp8-dynamic"), &[]).unwrap();
    assert!(fp8.with_smoothing(0.5).unwrap_err().contains("int8"));
    let text = "{ smooth: 2, groups: [{ scheme: int8 }] }";
    assert!(Recipe::parse("r.yml", text).unwrap_err().to_string().contains("smooth"));
    let parsed = Recipe::parse("r.yml", "{ smooth: 0.75, groups: [{ scheme: int8 }] }").unwrap();
    assert_eq!(parsed.smoothing(), Some(0.75));

    let uncalibrated = Run { n_threads: 2, calibration: None };
    let checkpoint = Checkpoint::open(input.path()).unwrap();
    let out = input.path().join("out");
    let smoothed = recipe().with_smoothing(0.5).unwrap();
    let error = compress(&checkpoint, &out, &smoothed, uncalibrated, &mut |_| true).unwrap_err();
    assert!(matches!(error, CompressError::SmoothingNotCalibrated), "{error}");
    let error = run(input.path(), &["re:.*(w1|in_proj)$".to_owned(), "re:.*w3$".to_owned()]).unwrap_err();
    assert!(matches!(error, CompressError::NothingMatches { .. }), "{error}");
    assert_eq!(contents(input.path()), before);
}
