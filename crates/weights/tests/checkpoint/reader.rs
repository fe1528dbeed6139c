//! Weight files that are read in parts: whole, sharded, quantised, and readers that break their word.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use hala_tensor::DType;
use hala_weights::{Checkpoint, Reader, WeightsError};

use crate::build::{f32_bytes, tensors};

/// Files in memory; gives as many bytes too few as it is told.
struct Files {
    files: BTreeMap<&'static str, Vec<u8>>,
    n_missing: usize,
}

impl Reader for Files {
    async fn size(&self, file: &str) -> Result<u64, String> {
        self.files.get(file).map(|bytes| bytes.len() as u64).ok_or_else(|| "no such file".to_owned())
    }

    async fn read(&self, file: &str, range: Range<u64>) -> Result<Vec<u8>, String> {
        let bytes = self.files[file][range.start as usize..range.end as usize].to_vec();
        let n_given = bytes.len().saturating_sub(self.n_missing);
        Ok(bytes[..n_given].to_vec())
    }
}

fn two_shards() -> Files {
    let first = tensors(&[("a", "F32", &[2], f32_bytes(&[1.0, 2.0]))]);
    let second = tensors(&[
        ("b", "F32", &[1], f32_bytes(&[3.0])),
        ("empty", "F32", &[0], Vec::new()),
        ("c", "F32", &[2], f32_bytes(&[4.0, 5.0])),
    ]);
    Files { files: BTreeMap::from([("1.safetensors", first), ("2.safetensors", second)]), n_missing: 0 }
}

fn side(index: &str) -> Vec<(String, Cow<'static, [u8]>)> {
    vec![("model.safetensors.index.json".to_owned(), Cow::Owned(index.as_bytes().to_vec()))]
}

const INDEX: &str =
    r#"{"weight_map":{"a":"1.safetensors","b":"2.safetensors","c":"2.safetensors","empty":"2.safetensors"}}"#;

fn open(reader: &Files, index: &str) -> Result<Checkpoint, WeightsError> {
    pollster::block_on(Checkpoint::from_reader(side(index), reader))
}

#[test]
fn tensors_of_shards_are_fetched_loaded_and_forgotten_one_by_one() {
    let reader = two_shards();
    let mut checkpoint = open(&reader, INDEX).unwrap();
    for (name, expected) in [("c", vec![4.0, 5.0]), ("a", vec![1.0, 2.0]), ("empty", vec![])] {
        pollster::block_on(checkpoint.fetch(name, &reader)).unwrap();
        assert_eq!(checkpoint.load(name, DType::F32).unwrap().to_f32(), expected);
        checkpoint.forget(name);
    }
    assert!(matches!(checkpoint.load("a", DType::F32), Err(WeightsError::NotFetched { .. })));
    let mut order = ["c", "a", "b", "no such"];
    order.sort_by_key(|name| checkpoint.reading_order(name));
    assert_eq!(order, ["no such", "a", "b", "c"]);
}

#[test]
fn a_reader_that_gives_too_little_is_told_so() {
    let reader = Files { n_missing: 1, ..two_shards() };
    let message = open(&reader, INDEX).unwrap_err().to_string();
    assert_eq!(message, "cannot read 1.safetensors: 7 bytes came where 8 were asked for");
}

#[test]
fn a_shard_that_is_missing_or_no_plain_name_is_named() {
    let reader = two_shards();
    let message = |index: &str| open(&reader, index).unwrap_err().to_string();
    assert_eq!(message(r#"{"weight_map":{"a":"3.safetensors"}}"#), "cannot read 3.safetensors: no such file");
    assert!(message(r#"{"weight_map":{"a":"../a.safetensors"}}"#).contains("not a plain file name"));
    assert!(message(r#"{"weight_map":{"b":"1.safetensors"}}"#).contains('b'));
}

#[test]
fn scales_come_with_their_codes() {
    let weights = tensors(&[
        ("x.weight", "I8", &[1, 4], vec![1, 2, 3, 4]),
        ("x.weight_scale", "F32", &[1, 1], f32_bytes(&[0.5])),
    ]);
    let reader = Files { files: BTreeMap::from([("model.safetensors", weights)]), n_missing: 0 };
    let config = serde_json::json!({ "quantization_config": hala_weights::int8_quantization_config(4) });
    let side = vec![("config.json".to_owned(), Cow::Owned(config.to_string().into_bytes()))];
    let mut checkpoint = pollster::block_on(Checkpoint::from_reader(side, &reader)).unwrap();
    pollster::block_on(checkpoint.fetch("x.weight", &reader)).unwrap();
    assert_eq!(checkpoint.load("x.weight", DType::F32).unwrap().to_f32(), [0.5, 1.0, 1.5, 2.0]);
}

#[test]
fn packed_codes_are_fetched_by_the_name_of_their_weight() {
    let weights = tensors(&[
        ("x.weight_packed", "I32", &[1, 1], vec![0x10, 0x32, 0x54, 0x76]),
        ("x.weight_scale", "F32", &[1, 2], f32_bytes(&[1.0, 0.5])),
        ("x.weight_shape", "I64", &[2], [1i64, 8].iter().flat_map(|n| n.to_le_bytes()).collect()),
    ]);
    let reader = Files { files: BTreeMap::from([("model.safetensors", weights)]), n_missing: 0 };
    let mut quantisation = hala_weights::int8_quantization_config(4);
    quantisation["format"] = "pack-quantized".into();
    quantisation["config_groups"]["group_0"]["weights"]["num_bits"] = 4.into();
    let config = serde_json::json!({ "quantization_config": quantisation });
    let side = vec![("config.json".to_owned(), Cow::Owned(config.to_string().into_bytes()))];
    let mut checkpoint = pollster::block_on(Checkpoint::from_reader(side, &reader)).unwrap();
    assert_eq!(checkpoint.tensor_names().collect::<Vec<_>>(), ["x.weight"]);
    pollster::block_on(checkpoint.fetch("x.weight", &reader)).unwrap();
    let expected = [-8.0, -7.0, -6.0, -5.0, -2.0, -1.5, -1.0, -0.5];
    for dtype in [DType::F32, checkpoint.stored_dtype("x.weight").unwrap()] {
        assert_eq!(checkpoint.load("x.weight", dtype).unwrap().to_f32(), expected);
    }
    checkpoint.forget("x.weight");
    assert!(checkpoint.load("x.weight", DType::F32).is_err());
}
