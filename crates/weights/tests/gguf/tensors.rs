//! Tensors as a checkpoint has them, and which files are GGUF files.

use hala_tensor::DType;
use hala_weights::Checkpoint;

use crate::build::File;

#[test]
fn the_last_norm_goes_by_two_names_and_may_have_one() {
    const NORM: &str = "model.embedding_norm.weight";
    for name in ["token_embd_norm.weight", "output_norm.weight"] {
        assert!(File::new("lfm2").tensor(name, &[1], &[1.0]).open().unwrap().contains(NORM), "{name}");
    }
    let mut both = File::new("lfm2");
    both.tensor("token_embd_norm.weight", &[1], &[1.0]).tensor("output_norm.weight", &[1], &[1.0]);
    let message = both.refusal();
    assert!(
        message.contains("`output_norm.weight`") && message.contains("`token_embd_norm.weight`"),
        "{message}"
    );
}

#[test]
fn gemma_2_s_norms_are_what_they_are_beyond_1() {
    let norms = |family: &str| {
        let name = if family == "lfm2" { "operator_norm" } else { "input_layernorm" };
        let checkpoint = File::new(family).open().unwrap();
        checkpoint.load(&format!("model.layers.1.{name}.weight"), DType::F32).unwrap().to_f32()
    };
    assert_eq!(norms("gemma2"), [0.5, -0.75]);
    assert_eq!(norms("lfm2"), [1.5, 0.25]);
    assert_eq!(norms("cohere2"), [1.5, 0.25]);
    // Other tensors of the file are as they were.
    let checkpoint = File::new("gemma2").tensor("token_embd.weight", &[1, 2], &[3.0, 4.0]).open().unwrap();
    assert_eq!(checkpoint.load("model.embed_tokens.weight", DType::F32).unwrap().to_f32(), [3.0, 4.0]);
    // A norm that is quantised is none.
    let mut bytes = File::new("gemma2").tensor("output_norm.weight", &[32], &[1.0; 32]).bytes();
    let name = b"output_norm.weight";
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap() + name.len() + 12;
    bytes[at] = 8;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    std::fs::write(&path, bytes).unwrap();
    assert!(Checkpoint::open(&path).unwrap_err().to_string().contains("norm in Q8_0"));
}

#[test]
fn files_are_known_by_their_first_bytes() {
    for name in ["sha256-0123abcd", "MODEL.GGUF", "model.bin", "model.safetensors"] {
        let (_folder, path) = File::new("lfm2").written(name);
        assert!(Checkpoint::open(&path).unwrap().contains("model.layers.0.operator_norm.weight"), "{name}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("GGU");
    std::fs::write(&path, "GGU").unwrap();
    assert!(
        Checkpoint::open(&path).unwrap_err().to_string().contains("neither a safetensors nor a GGUF file")
    );
    let (folder, _) = File::new("lfm2").written("Model.GGUF");
    let message = Checkpoint::open(folder.path()).unwrap_err().to_string();
    assert!(message.contains("give the path of the .gguf file itself"), "{message}");
}

#[test]
fn parts_of_a_model_are_refused() {
    let message = File::new("lfm2").integer("split.no", 1).integer("split.count", 3).refusal();
    assert!(message.contains("part 2 of 3"), "{message}");
    assert!(File::new("lfm2").integer("split.no", 0).integer("split.count", 1).open().is_ok());
}
