//! Folders, single files, shards and files in memory are opened; what is missing is named.

use std::borrow::Cow;
use std::path::Path;

use hala_tensor::{DType, Shape};
use hala_weights::{Checkpoint, FileDType, WeightsError};

use crate::build::{f32_bytes, folder, memory, refusal, tensors};

const CONFIG: &[u8] = br#"{"model_type": "lfm2"}"#;
const INDEX: &str = "model.safetensors.index.json";

fn weights(name: &str, values: &[f32]) -> Vec<u8> {
    tensors(&[(name, "F32", &[values.len()], f32_bytes(values))])
}

#[test]
fn a_folder_a_file_and_bytes_hold_the_same_checkpoint() {
    let bytes = tensors(&[
        ("norm", "BF16", &[3], vec![0; 6]),
        ("embed", "F32", &[2, 3], f32_bytes(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])),
    ]);
    let folder = folder(&[("model.safetensors", &bytes), ("config.json", CONFIG)]);
    let file = folder.path().join("model.safetensors");
    let in_memory = memory(bytes, "{\"model_type\": \"lfm2\"}");
    let opened = [Checkpoint::open(folder.path()).unwrap(), Checkpoint::open(&file).unwrap(), in_memory];
    for checkpoint in opened {
        assert_eq!(checkpoint.tensor_names().collect::<Vec<_>>(), ["embed", "norm"]);
        assert_eq!((checkpoint.n_parameters(), checkpoint.n_bytes()), (9, 30));
        assert_eq!(checkpoint.config().unwrap().model_type().unwrap(), Some("lfm2"));
        let view = checkpoint.tensor("embed").unwrap();
        assert_eq!((view.shape(), view.file_dtype()), (Shape::matrix(2, 3), FileDType::F32));
        assert_eq!(checkpoint.load("embed", DType::F32).unwrap().to_f32(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }
}

#[test]
fn shards_are_found_through_the_index() {
    let (one, two) = (weights("a", &[1.0]), weights("b", &[2.0, 3.0]));
    let index = br#"{"metadata": {"total_size": 12}, "weight_map": {"a": "s-1.safetensors", "b": "s-2.safetensors"}}"#;
    let files: [(&str, &[u8]); 4] =
        [("s-1.safetensors", &one), ("s-2.safetensors", &two), (INDEX, index), ("config.json", CONFIG)];
    let folder = folder(&files);
    let held = files.iter().map(|(name, bytes)| ((*name).to_owned(), Cow::Owned(bytes.to_vec()))).collect();
    for checkpoint in [Checkpoint::open(folder.path()).unwrap(), Checkpoint::from_files(held).unwrap()] {
        assert_eq!(checkpoint.tensor_names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(checkpoint.load("b", DType::F32).unwrap().to_f32(), [2.0, 3.0]);
        assert_eq!(checkpoint.n_bytes(), 12);
    }
}

#[test]
fn a_shard_that_is_missing_or_lacks_a_tensor_is_named() {
    let one = weights("a", &[1.0]);
    let index = br#"{"weight_map": {"a": "s-1.safetensors", "b": "s-2.safetensors"}}"#;
    let missing = folder(&[("s-1.safetensors", &one), (INDEX, index)]);
    assert!(refusal(missing.path()).contains("names the shard `s-2.safetensors`, which is not there"));
    let lacking = folder(&[("s-1.safetensors", &one), ("s-2.safetensors", &one), (INDEX, index)]);
    let message = refusal(lacking.path());
    assert!(message.contains("places tensor `b` in `s-2.safetensors`, which does not hold it"), "{message}");
}

#[test]
fn an_index_cannot_reach_out_of_its_folder() {
    for name in ["../x.safetensors", "/etc/passwd", "", "a\\b", ".hidden"] {
        let index = serde_json::json!({ "weight_map": { "a": name } }).to_string();
        let folder = folder(&[(INDEX, index.as_bytes())]);
        let error = Checkpoint::open(folder.path()).unwrap_err();
        assert!(matches!(error, WeightsError::ShardName { .. }), "{error}");
    }
}

#[test]
fn an_index_that_is_no_index_is_refused() {
    for text in ["", "[]", r#"{"weight_map": 3}"#, r#"{"weight_map": {"a": null}}"#] {
        let folder = folder(&[(INDEX, text.as_bytes())]);
        assert!(refusal(folder.path()).contains("index.json is not valid JSON"), "{text}");
    }
}

#[test]
fn a_path_that_is_not_there_says_what_to_give() {
    let message = refusal(Path::new("/no/such/folder"));
    assert!(message.contains("`/no/such/folder` does not exist: give a folder"), "{message}");
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let folder = folder(&[("model.bin", b"PK34")]);
    assert!(refusal(&folder.path().join("model.bin")).contains("neither a safetensors nor a GGUF file"));
    let message = refusal(folder.path());
    assert!(message.contains("it holds: model.bin") && message.contains("convert it"), "{message}");
}

#[test]
fn an_empty_folder_and_one_with_another_weight_file_say_what_they_hold() {
    assert!(refusal(folder(&[]).path()).contains("it holds: nothing"));
    let other = folder(&[("consolidated.safetensors", &weights("a", &[1.0]))]);
    assert!(refusal(other.path()).contains("give the path of the .safetensors file itself"));
}

#[test]
fn a_missing_tensor_is_named_with_its_neighbours() {
    let entries = ["model.layers.0.w1.weight", "model.layers.0.w2.weight", "model.norm.weight"]
        .map(|name| (name, "F32", &[1][..], f32_bytes(&[0.0])));
    let checkpoint = memory(tensors(&entries), "{}");
    let message = checkpoint.tensor("model.layers.0.w3.weight").unwrap_err().to_string();
    assert!(message.starts_with("`model.safetensors` has no tensor `model.layers.0.w3.weight`"), "{message}");
    assert!(message.contains("nearest names are `model.layers.0.w1.weight`, `model.layers.0.w2.weight`"));
    assert!(!checkpoint.contains("model.layers.0.w3.weight"));
}

#[test]
fn a_wrong_shape_is_named_with_both() {
    let checkpoint = memory(weights("w", &[1.0; 6]), "{}");
    let view = checkpoint.tensor("w").unwrap();
    view.expect_shape(Shape::vector(6)).unwrap();
    let message = view.expect_shape(Shape::matrix(2, 3)).unwrap_err().to_string();
    assert!(
        message.contains("tensor `w`") && message.contains("shape [6], where [2, 3] is expected"),
        "{message}"
    );
}

#[test]
fn a_checkpoint_without_config_opens_and_says_so_when_asked() {
    let folder = folder(&[("logits.safetensors", &weights("logits", &[1.0]))]);
    let checkpoint = Checkpoint::open(&folder.path().join("logits.safetensors")).unwrap();
    assert_eq!(checkpoint.load("logits", DType::F32).unwrap().to_f32(), [1.0]);
    assert!(checkpoint.config().unwrap_err().to_string().contains("has no config.json"));
}

#[test]
fn files_beside_the_weights_are_read_and_text_is_checked() {
    let bytes = weights("w", &[1.0]);
    let files: [(&str, &[u8]); 4] = [
        ("model.safetensors", &bytes),
        ("tokenizer.json", b"{}"),
        ("chat_template.jinja", b"\xef\xbb\xbf{{ x }}"),
        ("tokenizer_config.json", b"{\"a\": \"\xff\"}"),
    ];
    let folder = folder(&files);
    let held = files.iter().map(|(name, bytes)| ((*name).to_owned(), Cow::Owned(bytes.to_vec()))).collect();
    for checkpoint in [Checkpoint::open(folder.path()).unwrap(), Checkpoint::from_files(held).unwrap()] {
        assert_eq!(checkpoint.file("tokenizer.json").unwrap().unwrap().as_ref(), b"{}");
        assert_eq!(checkpoint.text_file("chat_template.jinja").unwrap().unwrap(), "{{ x }}");
        assert!(checkpoint.file("generation_config.json").unwrap().is_none());
        let message = checkpoint.text_file("tokenizer_config.json").unwrap_err().to_string();
        assert!(message.contains("tokenizer_config.json is not valid UTF-8 from byte 7 on"), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn a_side_file_of_absurd_size_is_refused_unread() {
    let folder = folder(&[("model.safetensors", &weights("w", &[1.0]))]);
    let sparse = std::fs::File::create(folder.path().join("generation_config.json")).unwrap();
    sparse.set_len(1 << 40).unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let error = checkpoint.file("generation_config.json").unwrap_err();
    assert!(matches!(error, WeightsError::FileTooLarge { found: 0x100_0000_0000, .. }), "{error}");
}
