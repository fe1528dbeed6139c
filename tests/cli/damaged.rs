//! Damaged checkpoints are refused by every command: exit code 2, the file and the fault named, nothing written.

use serde_json::json;
use tempfile::tempdir;

use crate::checkpoint::Copy;
use crate::{demo_folder, hala, names};

const W1: &str = "model.layers.0.feed_forward.w1.weight";
/// W1 as the fixture has it: 96 rows of 64 in bf16.
const W1_BYTES: usize = 96 * 64 * 2;

/// Checks that commands refuse the checkpoint with a message that has all of `faults`, and write nothing.
#[track_caller]
fn check(copy: &Copy, faults: &[&str]) {
    let (before, folder) = (names(copy.path()), tempdir().unwrap());
    let out = folder.path().join("out");
    hala(&["generate", "--ids", "1,5,9"]).model(copy.path()).run().refused(faults);
    hala(&["logits", "--ids", "1,5,9", "--out"]).arg(&out).model(copy.path()).run().refused(faults);
    hala(&["translate", "x", "--output"]).arg(&out).model(copy.path()).run().refused(faults);
    assert!(names(folder.path()).is_empty());
    assert_eq!(names(copy.path()), before);
}

#[test]
fn an_empty_file() {
    let copy = Copy::new().change_bytes(Vec::clear);
    check(&copy, &["model.safetensors", "empty"]);
}

#[test]
fn a_file_that_is_cut_off() {
    for (n_bytes, fault) in [
        (7, "7 bytes"),
        (8, "the file has 0 bytes after its length"),
        (100, "the file has 92 bytes after its length"),
        (70_000, "cut off: it has 70000 bytes, where 148776 are expected"),
        (148_775, "cut off: it has 148775 bytes, where 148776 are expected"),
    ] {
        check(&Copy::new().change_bytes(|bytes| bytes.truncate(n_bytes)), &["model.safetensors", fault]);
    }
}

#[test]
fn a_header_that_is_longer_than_the_file() {
    for n_bytes in [148_769, 1 << 40, u64::MAX / 2, u64::MAX] {
        let copy = Copy::new().change_bytes(|bytes| bytes[..8].copy_from_slice(&n_bytes.to_le_bytes()));
        check(&copy, &["model.safetensors", "header", &n_bytes.to_string(), "148768 bytes"]);
    }
}

#[test]
fn a_header_that_is_no_json() {
    let copy = Copy::new().change_bytes(|bytes| bytes[8] = b'x');
    check(&copy, &["model.safetensors", "header", "cannot be read"]);
}

#[test]
fn bytes_that_belong_to_no_tensor() {
    let copy = Copy::new().change_bytes(|bytes| bytes.push(0));
    check(&copy, &["148777 bytes", "148776 are expected"]);
}

#[test]
fn a_tensor_of_the_wrong_shape() {
    let copy = Copy::new().change(|header, _| header.set(W1, "shape", [64, 96].as_slice()));
    check(&copy, &[W1, "[64, 96]", "[96, 64]"]);
}

#[test]
fn a_shape_that_does_not_fit_its_bytes() {
    for rows in [97, 1 << 40, u64::MAX] {
        let copy = Copy::new().change(|header, _| header.set(W1, "shape", [rows, 64].as_slice()));
        check(&copy, &["model.safetensors", W1, &W1_BYTES.to_string()]);
    }
}

#[test]
fn a_tensor_that_lies_outside_of_the_file_or_upon_another() {
    for range in [[14_464, 1 << 40], [0, W1_BYTES as u64], [100, 2]] {
        let copy = Copy::new().change(|header, _| header.set(W1, "data_offsets", range.as_slice()));
        check(&copy, &["model.safetensors", "is placed at bytes", "is expected"]);
    }
}

#[test]
fn a_missing_tensor_with_the_names_nearest_to_it() {
    let copy = Copy::new().change(|header, data| header.remove(W1, data));
    check(&copy, &[W1, "no tensor", "model.layers.0.feed_forward.w2.weight"]);
}

#[test]
fn elements_of_a_type_that_the_format_does_not_have() {
    check(&Copy::new().change(|header, _| header.set(W1, "dtype", "Q7")), &[W1, "\"Q7\""]);
}

#[test]
fn elements_of_a_type_that_is_not_supported() {
    // NaN is 0x7F in E4M3.
    let copy = Copy::new().change(|header, data| {
        header.replace(W1, &[0x7F; W1_BYTES / 2], data);
        header.set(W1, "dtype", "F8_E4M3");
    });
    check(&copy, &[W1, "F8_E4M3", "not supported"]);
}

#[test]
fn a_weight_that_is_no_number() {
    for (bits, value) in [(0x7FC0_u16, "NaN"), (0x7F80, "inf")] {
        let copy = Copy::new().change(|header, data| {
            let at = header.range(W1).start + 64 * 2;
            data[at..at + 2].copy_from_slice(&bits.to_le_bytes());
        });
        check(&copy, &[W1, "row 1", value]);
    }
}

#[test]
fn no_config() {
    let copy = Copy::new();
    std::fs::remove_file(copy.config()).unwrap();
    check(&copy, &["config.json"]);
}

#[test]
fn a_config_that_is_no_json() {
    for text in ["", "{\"model_type\": ", "[]", "lfm2"] {
        let copy = Copy::new();
        std::fs::write(copy.config(), text).unwrap();
        check(&copy, &["config.json", "not valid JSON"]);
    }
    let copy = Copy::new();
    std::fs::write(copy.config(), b"\xFF\xFE").unwrap();
    check(&copy, &["config.json", "not valid UTF-8"]);
}

#[test]
fn an_unknown_architecture() {
    check(&Copy::new().set("model_type", "mamba9"), &["config.json", "mamba9", "lfm2"]);
    check(&Copy::new().set("model_type", json!(null)), &["config.json", "model_type"]);
}

#[test]
fn a_config_that_disagrees_with_the_tensors() {
    for (key, value) in [("hidden_size", 63), ("vocab_size", 112), ("conv_L_cache", 4)] {
        check(&Copy::new().set(key, value), &["config.json", key, &value.to_string()]);
    }
}

#[test]
fn a_config_with_values_that_no_model_has() {
    for (key, value) in [
        ("num_attention_heads", json!(0)),
        ("num_key_value_heads", json!(3)),
        ("num_hidden_layers", json!(3)),
        ("hidden_size", json!("64")),
        ("layer_types", json!(["conv", "mamba"])),
        ("max_position_embeddings", json!(0)),
        ("conv_L_cache", json!(0)),
        ("norm_eps", json!(-1.0)),
        ("norm_eps", json!(0)),
    ] {
        check(&Copy::new().set(key, value), &["config.json", key]);
    }
    for theta in [0.0, -1e6] {
        let rope = json!({ "rope_type": "default", "rope_theta": theta });
        check(&Copy::new().set("rope_parameters", rope), &["config.json", "rope_theta"]);
    }
}

#[test]
fn a_missing_shard_and_one_outside_of_the_folder() {
    for shard in ["none.safetensors", "../model.safetensors"] {
        let copy = Copy::new();
        std::fs::remove_file(copy.weights()).unwrap();
        let index = json!({ "weight_map": { W1: shard } }).to_string();
        std::fs::write(copy.path().join("model.safetensors.index.json"), index).unwrap();
        check(&copy, &["model.safetensors.index.json", shard]);
    }
}

#[test]
fn a_tokenizer_of_another_model() {
    let copy = Copy::new();
    std::fs::copy(demo_folder().join("tokenizer.json"), copy.path().join("tokenizer.json")).unwrap();
    let prompt = hala(&["generate", "--prompt", "Good morning."]).model(copy.path()).run();
    prompt.refused(&["vocabulary of 113", "tokenizer"]);
}

#[test]
fn a_tokenizer_that_is_damaged() {
    for text in ["", "{}", "[1]"] {
        let copy = Copy::new();
        std::fs::write(copy.path().join("tokenizer.json"), text).unwrap();
        hala(&["generate", "--prompt", "x"]).model(copy.path()).run().refused(&["tokenizer.json"]);
        hala(&["tokenize", "x"]).model(copy.path()).run().refused(&["tokenizer.json"]);
    }
}
