//! Rotary frequencies by config.json against those that transformers computes from it.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use hala_model::{Dialect, ModelError, Rope, Turned};
use hala_weights::Config;
use serde_json::Value;

/// Relative error: a few last bits of f32, which powers are rounded in differently.
const F32: f32 = 1e-6;

const CASES: &str = include_str!("fixtures/rope.json");

fn cases() -> Vec<Value> {
    serde_json::from_str(CASES).unwrap()
}

/// What is read from a case's config.json.
fn read(case: &Value) -> Result<Rope, ModelError> {
    let count = |key: &str| case[key].as_u64().unwrap() as usize;
    let (theta, kinds, dialect): (_, &[&str], _) = match case["family"].as_str().unwrap() {
        "lfm2" => (1e6, &["full_attention"], Dialect::OfAll),
        "lfm3" => (1e6, &["full_attention"], Dialect::OfEach),
        "gemma2" => (1e4, &["sliding_attention", "full_attention"], Dialect::OfAll),
        _ => (1e4, &["sliding_attention"], Dialect::OfAll),
    };
    let (head_size, max_context) = (count("head_size"), count("max_context"));
    let turned = Turned { head_size, max_context, theta, kinds, dialect };
    Rope::read(&Config::parse("config.json", &case["config"].to_string())?, &turned)
}

#[test]
fn frequencies_are_those_of_transformers() {
    let mut n = 0;
    for case in cases().iter().filter(|case| case["refused"].is_null()) {
        let rope = read(case).unwrap_or_else(|e| panic!("{case}: {e}"));
        let expected: Vec<f32> =
            case["inv_freq"].as_array().unwrap().iter().map(|f| f.as_f64().unwrap() as f32).collect();
        let found = rope.frequencies();
        assert_eq!(found.len(), expected.len(), "{case}");
        for (x, y) in found.iter().zip(&expected) {
            assert!((x - y).abs() <= F32 * y.abs(), "{x} where {y} is expected: {case}");
        }
        let amplitude = case["attention_scaling"].as_f64().unwrap() as f32;
        assert!((rope.amplitude() - amplitude).abs() <= F32 * amplitude, "{}: {case}", rope.amplitude());
        let max_context = case["max_context"].as_u64().unwrap();
        let limit = case["limit"].as_u64().unwrap_or(max_context);
        assert_eq!(rope.limit(max_context as usize) as u64, limit, "{case}");
        n += 1;
    }
    assert!(n >= 60, "{n} cases");
}

#[test]
fn what_gives_no_frequencies_is_refused_by_name() {
    for case in cases().iter().filter(|case| !case["refused"].is_null()) {
        let message = read(case).err().unwrap_or_else(|| panic!("{case}")).to_string();
        assert!(message.contains("rope_") || message.contains("partial_rotary_factor"), "{message}: {case}");
    }
}

#[test]
fn settings_for_each_kind_of_layer_are_read_where_all_that_turn_have_one() {
    let read = |family: &str, parameters: &str| {
        let case = format!(
            r#"{{"family": "{family}", "head_size": 16, "max_context": 64, "config": {{"rope_parameters": {parameters}}}}}"#
        );
        read(&serde_json::from_str(&case).unwrap())
    };
    let linear = r#"{"rope_type": "linear", "factor": 2, "rope_theta": 100}"#;
    let flat = read("lfm2", linear).unwrap();
    let nested = |full: &str, sliding: &str| {
        format!(r#"{{"full_attention": {full}, "sliding_attention": {sliding}}}"#)
    };
    assert_eq!(read("lfm2", &nested(linear, "null")).unwrap(), flat);
    assert_eq!(read("cohere2", &nested("null", linear)).unwrap(), flat);
    assert_eq!(read("gemma2", &nested(linear, linear)).unwrap(), flat);
    for (family, parameters, word) in [
        ("gemma2", nested(linear, r#"{"rope_type": "default"}"#), "rope_parameters."),
        ("gemma2", nested(linear, "null"), "rope_parameters.sliding_attention"),
        ("lfm2", nested("null", linear), "rope_parameters.full_attention"),
    ] {
        let message = read(family, &parameters).unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
    }
}
