//! Codes with zero points and columns in an order, against what compressed-tensors makes of them.

use std::path::{Path, PathBuf};

use hala_tensor::DType;
use hala_weights::{Checkpoint, WeightsError};
use serde_json::json;

use crate::build::{f32_bytes, memory, tensors};

/// Relative to the largest value: sums and products in f32.
const F32: f32 = 1e-6;

/// The same of values that were encoded again as int8: half a step of 1 in 127.
const INT8: f32 = 0.5 / 127.0 + F32;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/zero-points")
}

#[test]
fn values_are_those_of_compressed_tensors() {
    let mut n = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let checkpoint = Checkpoint::open(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        checkpoint.check_quantisation().unwrap();
        assert_eq!(checkpoint.tensor_names().collect::<Vec<_>>(), ["a.weight"], "{}", path.display());
        let expected = Checkpoint::open(&path.join("expected.safetensors")).unwrap();
        let expected = expected.load("a.weight", DType::F32).unwrap();
        let held = checkpoint.stored_dtype("a.weight").unwrap();
        assert_eq!(held, DType::Int8 { group: DType::INT8_GROUP });
        assert_eq!(checkpoint.converted().len(), 1, "{}", path.display());
        let largest = expected.to_f32().iter().fold(0f32, |most, x| most.max(x.abs()));
        for (dtype, tolerance) in [(DType::F32, F32), (held, INT8)] {
            let found = checkpoint.load("a.weight", dtype).unwrap();
            assert_eq!(found.shape(), expected.shape());
            for (x, y) in found.to_f32().iter().zip(expected.to_f32()) {
                assert!((x - y).abs() <= tolerance * largest, "{}: {dtype}: {x} for {y}", path.display());
            }
        }
        n += 1;
    }
    assert!(n >= 9, "{n} folders");
}

/// A matrix of 4-bit codes `[1, 16]` in two groups with these tensors beside it.
fn with(more: &[(&str, &str, &[usize], Vec<u8>)], weights: &serde_json::Value) -> Checkpoint {
    let mut entries = vec![
        ("a.weight_packed", "I32", &[1, 2][..], vec![0x98; 8]),
        ("a.weight_scale", "F32", &[1, 2][..], f32_bytes(&[1.0, 2.0])),
        ("a.weight_shape", "I64", &[2][..], [1i64, 16].iter().flat_map(|n| n.to_le_bytes()).collect()),
    ];
    entries.extend(more.iter().cloned());
    let mut all = json!({ "num_bits": 4, "type": "int", "strategy": "group", "group_size": 8 });
    all.as_object_mut().unwrap().extend(weights.as_object().unwrap().clone());
    let groups = json!({ "group_0": { "targets": ["Linear"], "weights": all } });
    let quantisation =
        json!({ "quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": groups });
    memory(tensors(&entries), &json!({ "quantization_config": quantisation }).to_string())
}

fn order(groups: &[i32]) -> Vec<u8> {
    groups.iter().flat_map(|group| group.to_le_bytes()).collect()
}

#[test]
fn an_order_that_was_never_filled_is_that_of_the_columns() {
    let unused = [("a.weight_g_idx", "I32", &[16][..], order(&[-1; 16]))];
    let checkpoint = with(&unused, &json!({ "actorder": "group" }));
    let expected = [[0.0, 1.0].repeat(4), [0.0, 2.0].repeat(4)].concat();
    assert_eq!(checkpoint.load("a.weight", DType::F32).unwrap().to_f32(), expected);
    assert_eq!(checkpoint.stored_dtype("a.weight").unwrap(), DType::Int4 { group: 8 });
}

#[test]
fn zero_points_beside_a_symmetric_scheme_count_where_they_are_not_0() {
    let symmetric = json!({ "symmetric": true });
    let zeros = |values: [i8; 2]| {
        [("a.weight_zero_point", "I8", &[1, 2][..], values.map(|zero| zero as u8).to_vec())]
    };
    let none = with(&zeros([0, 0]), &symmetric);
    assert_eq!(none.tensor_names().collect::<Vec<_>>(), ["a.weight"]);
    assert_eq!(none.stored_dtype("a.weight").unwrap(), DType::Int4 { group: 8 });
    let some = with(&zeros([0, 1]), &symmetric);
    let expected = [[0.0, 1.0].repeat(4), [-2.0, 0.0].repeat(4)].concat();
    assert_eq!(some.load("a.weight", DType::F32).unwrap().to_f32(), expected);
}

#[test]
fn what_is_missing_or_misshapen_is_named() {
    let fault = |more: &[(&str, &str, &[usize], Vec<u8>)], weights| {
        with(more, &weights).load("a.weight", DType::F32).unwrap_err().to_string()
    };
    let asymmetric = json!({ "symmetric": false });
    let unsaid = fault(&[], asymmetric.clone());
    assert!(unsaid.contains("symmetric is false, and a.weight_zero_point is not there"), "{unsaid}");
    let long = [("a.weight_zero_point", "I32", &[2, 2][..], vec![0; 16])];
    assert!(fault(&long, asymmetric.clone()).contains("[1, 2]"));
    let floats = [("a.weight_zero_point", "F32", &[1, 2][..], vec![0; 8])];
    assert!(fault(&floats, asymmetric).contains("a.weight_zero_point"));
    let ordered = json!({ "actorder": "group" });
    assert!(fault(&[], ordered.clone()).contains("actorder is group, and a.weight_g_idx is not there"));
    let short = [("a.weight_g_idx", "I32", &[15][..], order(&[0; 15]))];
    assert!(fault(&short, ordered.clone()).contains("[16]"));
    let beyond = [("a.weight_g_idx", "I32", &[16][..], order(&[2; 16]))];
    let error = with(&beyond, &ordered).load("a.weight", DType::F32).unwrap_err();
    assert!(matches!(error, WeightsError::Order { found: 2, n_groups: 2, .. }), "{error}");
}
