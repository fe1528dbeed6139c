//! Tokenizers that `hala tokenizer train` makes.

use serde_json::json;
use tempfile::TempDir;

use crate::{hala, names};

const PAIRS: &str = "Good morning, how are you?\tصباح الخير، كيف حالك؟\nWhere is the station?\tأين المحطة؟\n";

#[test]
fn a_new_tokenizer_turns_texts_into_ids_and_back() {
    let folder = TempDir::new().unwrap();
    let (data, out) = (folder.path().join("a.tsv"), folder.path().join("made"));
    std::fs::write(&data, PAIRS.repeat(4)).unwrap();
    let train = ["tokenizer", "train", "--vocab", "320", "--translation", "--single-digits"];
    let found = hala(&train).args(&["--json", "--out"]).arg(&out).arg(&data).run().json();
    assert_eq!((&found["n_vocab"], &found["n_refused"]), (&json!(320), &json!(0)));
    assert_eq!(names(&out), ["chat_template.jinja", "tokenizer.json", "tokenizer_config.json"]);

    let text = "صباح الخير 😀 2024";
    let encoded = hala(&["tokenize", "--json", text]).model(&out).run().json();
    let ids: Vec<String> = encoded["ids"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(ids[0], "1");
    let decoded = hala(&["tokenize", "--decode", &ids.join(",")]).model(&out).run().text();
    assert_eq!(decoded, format!("<|startoftext|>{text}\n"));

    // Each of the two instructions is one token, and what follows it is not joined to it.
    let shown = hala(&["data", "check", "--json"]).arg(&data).model(&out).run().json();
    let ids = |row: usize| shown["rows"][row]["ids"].as_array().unwrap().clone();
    assert!(ids(0).contains(&json!(318)) && ids(1).contains(&json!(319)), "{shown}");
}

#[test]
fn people_see_what_was_made() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("a.jsonl");
    std::fs::write(&data, "{\"text\": \"a b a b\"}\n{}\n").unwrap();
    let text =
        hala(&["tokenizer", "train", "--vocab", "300", "--out"]).arg(folder.path()).arg(&data).run().text();
    for said in ["271 tokens of 1 texts", "tokens fewer than asked for", "1 rows were passed over"] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
}

#[test]
fn a_tokenizer_that_is_there_is_not_written_over() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("a.txt");
    std::fs::write(&data, "a\n").unwrap();
    std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    let done = hala(&["tokenizer", "train", "--vocab", "300", "--out"]).arg(folder.path()).arg(&data).run();
    done.refused(&["has a tokenizer.json already"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("tokenizer.json")).unwrap(), "{}");
    let small = hala(&["tokenizer", "train", "--vocab", "100", "--out"])
        .arg(folder.path().join("new"))
        .arg(&data)
        .run();
    small.refused(&["100 tokens is too small"]);
    assert!(!folder.path().join("new").exists());
}
