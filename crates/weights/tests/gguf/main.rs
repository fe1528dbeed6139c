//! GGUF files: each type's numbers against gguf-py's, names and settings, and what is refused.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod build;
mod headers;
mod lfm3;
mod settings;
mod tensors;
mod tokenizer;

use std::path::{Path, PathBuf};

use hala_tensor::DType;
use hala_weights::Checkpoint;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn numbers_are_gguf_pys() {
    let [found, expected] =
        ["blocks.gguf", "blocks.safetensors"].map(|name| Checkpoint::open(&fixture(name)).unwrap());
    assert_eq!(found.tensor_names().collect::<Vec<_>>(), expected.tensor_names().collect::<Vec<_>>());
    for name in expected.tensor_names() {
        let [x, y] = [&expected, &found].map(|c| c.load(name, DType::F32).unwrap());
        assert_eq!(x.shape(), y.shape(), "{name}");
        assert!(x.to_f32() == y.to_f32(), "{name}");
    }
}

#[test]
fn blocks_of_signed_codes_are_held_as_they_are() {
    let checkpoint = Checkpoint::open(&fixture("blocks.gguf")).unwrap();
    for (name, dtype) in [
        ("q8_0", DType::Int8 { group: 32 }),
        ("q4_0", DType::Int4 { group: 32 }),
        ("q6_k", DType::Int8 { group: 16 }),
        ("q5_0", DType::Int8 { group: 32 }),
        ("q3_k", DType::Int8 { group: 16 }),
        ("iq4_nl", DType::Int8 { group: 32 }),
        ("iq4_xs", DType::Int8 { group: 32 }),
    ] {
        assert_eq!(checkpoint.stored_dtype(name).unwrap(), dtype);
        let [held, exact] = [dtype, DType::F32].map(|dtype| checkpoint.load(name, dtype).unwrap().to_f32());
        assert!(held == exact, "{name}");
    }
    assert_eq!(checkpoint.stored_dtype("q4_k").unwrap(), DType::Int8 { group: DType::INT8_GROUP });
    let converted: Vec<_> = checkpoint.converted().iter().map(ToString::to_string).collect();
    assert_eq!(converted, ["Q2_K", "Q4_1", "Q4_K", "Q5_1", "Q5_K"]);
}

#[test]
fn metadata_becomes_a_config() {
    let checkpoint = Checkpoint::open(&fixture("blocks.gguf")).unwrap();
    assert_eq!(checkpoint.config().unwrap().model_type().unwrap(), Some("test as GGUF"));
    assert!(checkpoint.file("tokenizer.json").unwrap().is_none());
}

/// The message of opening the fixture after a change to its bytes.
fn refused(change: impl Fn(&mut Vec<u8>)) -> String {
    let mut bytes = std::fs::read(fixture("blocks.gguf")).unwrap();
    change(&mut bytes);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.gguf");
    std::fs::write(&path, bytes).unwrap();
    let message = Checkpoint::open(&path).unwrap_err().to_string();
    assert!(message.contains("damaged.gguf"), "{message}");
    message
}

/// Where a text stands in the fixture.
fn find(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap()
}

/// Where the description of a tensor goes on after its name: two dimensions, the type, the offset.
fn after_name(bytes: &[u8], name: &str) -> usize {
    // Names have their lengths before them.
    let mut pattern = (name.len() as u64).to_le_bytes().to_vec();
    pattern.extend(name.as_bytes());
    bytes.windows(pattern.len()).position(|window| window == pattern).unwrap() + pattern.len()
}

#[test]
fn damaged_files_are_refused() {
    let set = |at: usize, value: &[u8]| {
        let value = value.to_vec();
        move |bytes: &mut Vec<u8>| bytes[at..at + value.len()].copy_from_slice(&value)
    };
    let whole = std::fs::read(fixture("blocks.gguf")).unwrap();
    let q4_0 = after_name(&whole, "q4_0");
    let dims_of_f32 = after_name(&whole, "f32") + 4;
    assert!(refused(|bytes| bytes.truncate(0)).contains("magic"));
    assert!(refused(|bytes| bytes.truncate(40)).contains("ends within its header"));
    assert!(refused(|bytes| bytes.truncate(whole.len() - 200)).contains("cut off"));
    assert!(refused(set(0, b"GGML")).contains("does not begin with `GGUF`"));
    assert!(refused(set(4, &[1])).contains("version 1"));
    assert!(refused(set(4, &[0, 0, 0, 3])).contains("big-endian"));
    assert!(refused(set(8, &u64::MAX.to_le_bytes())).contains("ends within its header"));
    assert!(refused(set(find(&whole, "test.text") + 9, &[99])).contains("type 99"));
    assert!(refused(set(find(&whole, "نص"), &[0xff])).contains("UTF-8"));
    assert!(
        refused(set(find(&whole, "general.architecture"), b"general.architectura")).contains("architecture")
    );
    assert!(refused(set(q4_0, &[5])).contains("5 dimensions"));
    assert!(refused(set(q4_0 + 4, &[33, 0])).contains("no whole blocks"));
    let unknown = refused(set(q4_0 + 20, &[18]));
    assert!(unknown.contains("IQ3_XXS") && unknown.contains("IQ4_XS, BF16 are"), "{unknown}");
    assert!(refused(set(q4_0 + 24, &[255; 7])).contains("q4_0"));
    assert!(refused(set(dims_of_f32, &[255; 16])).contains("larger than any file"));
    assert!(refused(set(q4_0 - 4, b"q8_0")).contains("twice"));
}

#[test]
fn any_byte_of_the_header_may_be_wrong() {
    let whole = std::fs::read(fixture("blocks.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flipped.gguf");
    for at in 0..after_name(&whole, "bf16") + 24 {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        std::fs::write(&path, bytes).unwrap();
        // What still opens may be loaded; nothing panics.
        if let Ok(checkpoint) = Checkpoint::open(&path) {
            checkpoint.tensor_names().for_each(|name| drop(checkpoint.load(name, DType::F32)));
        }
    }
}
