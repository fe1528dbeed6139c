//! `hala convert`: GGUF files that run as what they were made from, and folders made of them.

use hala_tests::fixtures::Fixture;
use tempfile::tempdir;

use crate::checkpoint::two_layer;
use crate::logits::read;
use crate::{demo_folder, hala, names};

#[test]
fn other_families_are_refused_by_name() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out.gguf");
    let fixture = Fixture::new("gemma2", "two-layer");
    hala(&["convert"]).arg(&fixture.path).arg(&out).run().refused(&["gemma2 as GGUF", "lfm2"]);
    assert!(!out.exists());
}

#[test]
fn a_gguf_file_computes_what_its_checkpoint_does() {
    let folder = tempdir().unwrap();
    let [gguf, back, out] = ["m.gguf", "back", "logits.safetensors"].map(|name| folder.path().join(name));
    let logits = |model: &std::path::Path| {
        let run = hala(&["logits", "--ids", "1,5,9,70", "--weights", "f32", "--out"]).arg(&out).model(model);
        assert_eq!(run.run().text(), "");
        read(&out).1
    };
    let text = hala(&["convert"]).arg(two_layer()).arg(&gguf).run().text();
    assert!(text.contains("tensors in bf16"), "{text}");
    assert!(logits(&gguf) == logits(&two_layer()));
    // The fixture is in bf16, so nothing is lost on the way back either.
    hala(&["convert"]).arg(&gguf).arg(&back).run().text();
    assert!(logits(&back) == logits(&two_layer()));
    assert_eq!(names(folder.path()), ["back", "logits.safetensors", "m.gguf"]);
}

#[test]
fn a_file_of_gemma_2_becomes_a_folder_that_computes_the_same() {
    let folder = tempdir().unwrap();
    let [back, out] = ["back", "logits.safetensors"].map(|name| folder.path().join(name));
    let logits = |model: &std::path::Path| {
        let run = hala(&["logits", "--ids", "1,5,9,33", "--weights", "f32", "--out"]).arg(&out).model(model);
        assert_eq!(run.run().text(), "");
        read(&out).1
    };
    // As some programs name the files that they keep.
    let gguf = folder.path().join("sha256-0123abcd");
    std::fs::copy(Fixture::new("gguf", "gemma2").path.join("model.gguf"), &gguf).unwrap();
    hala(&["convert", "--type", "f32"]).arg(&gguf).arg(&back).run().text();
    assert!(logits(&gguf) == logits(&back));
    // Norms are stored by what they are beyond 1, as transformers has them.
    let checkpoint = hala_weights::Checkpoint::open(&back).unwrap();
    let norm = checkpoint.load("model.norm.weight", hala_tensor::DType::F32).unwrap().to_f32();
    assert!(norm.iter().sum::<f32>().abs() < 0.1 * norm.len() as f32);
}

#[test]
fn the_tokenizer_and_the_template_go_with_it() {
    let folder = tempdir().unwrap();
    let gguf = folder.path().join("demo.gguf");
    hala(&["convert", "--type", "q8_0"]).arg(demo_folder()).arg(&gguf).run().text();
    let text = hala(&["translate", "صباح الخير"]).model(&gguf).run().text();
    assert_eq!(text.trim(), "Good morning.");
    let tokenize = |model: &std::path::Path| {
        let text = "مرحباً، كيف حالك؟ It's 12345 o'clock…\n\n  <|im_start|>user";
        hala(&["tokenize", "--json", text]).model(model).run().json()
    };
    assert_eq!(tokenize(&gguf)["ids"], tokenize(&demo_folder())["ids"]);
}

#[test]
fn what_cannot_be_converted_is_refused() {
    let folder = tempdir().unwrap();
    let out = folder.path().join("out");
    hala(&["convert", "--type", "q8_0"]).arg(two_layer()).arg(&out).run().refused(&["q8_0", ".gguf"]);
    hala(&["convert", "--type", "q3_k"]).arg(two_layer()).arg(&out).run().refused(&["q3_k", "bf16"]);
    hala(&["convert", "none.gguf"]).arg(&out).run().refused(&["none.gguf"]);
    let gguf = folder.path().join("text.gguf");
    std::fs::write(&gguf, "not a model").unwrap();
    hala(&["convert"]).arg(&gguf).arg(&out).run().refused(&["text.gguf", "GGUF"]);
    assert_eq!(names(folder.path()), ["text.gguf"]);
    hala(&["convert"]).arg(two_layer()).arg(&gguf).run().refused(&["exists"]);
}
