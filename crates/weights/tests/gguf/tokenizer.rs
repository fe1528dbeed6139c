//! Tokenizers made of a file's metadata: what is refused, and files whose bytes are wrong.

use serde_json::{Value, json};

use crate::build::File;

/// A vocabulary of SentencePiece's BPE.
fn pieces() -> File {
    let mut file = File::new("gemma2");
    file.text("tokenizer.ggml.model", "llama");
    file.texts(
        "tokenizer.ggml.tokens",
        &["<bos>", "<eos>", "<unk>", "a", "b", "ab", "aba", "  ", "<end_of_turn>", "<0x41>"],
    );
    file.floats("tokenizer.ggml.scores", &[0.0, 0.0, 0.0, -3.0, -4.0, -1.0, -2.0, 0.0, 0.0, 0.0]);
    file.integers("tokenizer.ggml.token_type", &[3, 3, 2, 1, 1, 1, 1, 4, 4, 6]);
    file.integer("tokenizer.ggml.bos_token_id", 0).integer("tokenizer.ggml.eos_token_id", 1);
    file
}

fn json_of(file: &File, name: &str) -> Value {
    serde_json::from_str(&file.open().unwrap().text_file(name).unwrap().unwrap()).unwrap()
}

#[test]
fn pieces_with_scores_become_merges() {
    let json = json_of(&pieces(), "tokenizer.json");
    assert_eq!(json["model"]["merges"], json!([["a", "b"], ["ab", "a"]]));
    assert_eq!(
        (&json["model"]["unk_token"], &json["model"]["byte_fallback"]),
        (&json!("<unk>"), &json!(true))
    );
    let added: Vec<(&str, bool)> = json["added_tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| (token["content"].as_str().unwrap(), token["special"] == true))
        .collect();
    // What ends a turn is no text, whatever the file says; runs of spaces are.
    assert_eq!(
        added,
        [("<bos>", true), ("<eos>", true), ("<unk>", true), ("  ", false), ("<end_of_turn>", true)]
    );
}

#[test]
fn a_file_says_what_stands_around_texts() {
    let ends = |change: &dyn Fn(&mut File)| {
        let mut file = pieces();
        change(&mut file);
        let json = json_of(&file, "tokenizer.json");
        let single = json["post_processor"]["single"].as_array().cloned().unwrap_or_default();
        let texts =
            single.iter().map(|part| part["SpecialToken"]["id"].as_str().unwrap_or("text").to_owned());
        (texts.collect::<Vec<_>>(), json["normalizer"]["type"].as_str().unwrap().to_owned())
    };
    let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    // Without a word in the file, as llama.cpp does.
    assert_eq!(ends(&|_| {}), (strings(&["<bos>", "text"]), "Sequence".to_owned()));
    let found = ends(&|f| {
        f.bool("tokenizer.ggml.add_bos_token", false).bool("tokenizer.ggml.add_eos_token", true);
        f.bool("tokenizer.ggml.add_space_prefix", false);
    });
    assert_eq!(found, (strings(&["text", "<eos>"]), "Replace".to_owned()));
    let found = ends(&|f| {
        f.bool("tokenizer.ggml.add_bos_token", false);
    });
    assert_eq!(found.0, strings(&[]));
}

#[test]
fn vocabularies_that_do_not_fit_are_refused() {
    let refused = |change: &dyn Fn(&mut File), expected: &str| {
        let mut file = File::new("gemma2");
        change(&mut file);
        let message = file.refusal();
        assert!(message.contains(expected), "{message}");
    };
    let tokens = |f: &mut File, model: &str| {
        f.text("tokenizer.ggml.model", model).texts("tokenizer.ggml.tokens", &["a", "b"]);
    };
    refused(&|f| tokens(f, "llama"), "one score for each token");
    refused(&|f| tokens(f, "bert"), "\"bert\"");
    refused(&|f| tokens(f, "gpt2"), "\"default\"");
    refused(
        &|f| {
            tokens(f, "llama");
            f.floats("tokenizer.ggml.scores", &[0.0]);
        },
        "one score for each token",
    );
    refused(
        &|f| {
            tokens(f, "llama");
            f.integers("tokenizer.ggml.token_type", &[1]);
        },
        "one `token_type` for each token",
    );
    refused(
        &|f| {
            f.integers("tokenizer.ggml.tokens", &[1]);
        },
        "not all texts",
    );
    let no_space = |f: &mut File| {
        tokens(f, "gpt2");
        f.text("tokenizer.ggml.pre", "lfm2").texts("tokenizer.ggml.merges", &["ab"]);
    };
    refused(&no_space, "a merge that is not two texts");
}

#[test]
fn any_byte_of_a_vocabulary_may_be_wrong() {
    let whole = pieces().bytes();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flipped.gguf");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        std::fs::write(&path, bytes).unwrap();
        // What still opens may be read; nothing panics.
        drop(hala_weights::Checkpoint::open(&path));
    }
}
