//! What `hala data check` tells of files.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{demo_folder, hala};

const PAIRS: &str = "Good morning.\tصباح الخير.\nWhere is the station?\tأين المحطة؟\n";

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn talk(user: &str, assistant: &str) -> String {
    let messages = json!([{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]);
    format!("{}\n", json!({"messages": messages}))
}

#[test]
fn ids_are_listed_with_a_mark_at_the_labels() {
    let files = Files::new();
    let text = hala(&["data", "check", "--rows", "1"]).arg(files.file("a.tsv", PAIRS)).run().text();
    let title = text.lines().next().unwrap();
    assert!(title.ends_with("a.tsv, line 1: 22 ids, 5 labels"), "{text}");
    let rows: Vec<Vec<&str>> =
        text.lines().skip(1).take(22).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["1", "<|startoftext|>"]);
    let labels: Vec<&str> = rows.iter().filter(|row| row[1] == "+").map(|row| row[0]).collect();
    assert_eq!(labels, ["7607", "604", "344", "21", "7"]);
    assert!(text.contains("4 rows, 4 documents, "), "{text}");
    // The second line and the other ways are not shown.
    assert!(!text.contains("line 2"), "{text}");
}

#[test]
fn colours_come_on_request_alone() {
    let files = Files::new();
    let path = files.file("a.tsv", PAIRS);
    let plain = hala(&["data", "check"]).arg(&path).run().text();
    assert!(!plain.contains('\u{1b}'));
    let forced = hala(&["data", "check"]).arg(&path).env("CLICOLOR_FORCE", "1").run().text();
    assert!(forced.contains("\u{1b}[32m"), "{forced}");
    let refused =
        hala(&["data", "check"]).arg(&path).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").run().text();
    assert_eq!(refused, plain);
}

#[test]
fn json_has_ids_weights_lengths_and_refusals() {
    let files = Files::new();
    let long = "long ".repeat(300);
    let text = talk("a", "b") + "{\"text\": 3}\n" + &talk(&long, "b") + &talk("c", "d");
    let found = hala(&["data", "check", "--json", "--batch-rows", "256"])
        .arg(files.file("a.jsonl", text))
        .run()
        .json();
    assert_eq!((&found["n_rows"], &found["n_documents"]), (&json!(4), &json!(2)));
    assert_eq!(found["refused"], json!({"field": 1, "too_long": 1}));
    let reason = |i: usize| found["examples"][i]["reason"].as_str().unwrap();
    assert_eq!((&found["examples"][0]["line"], reason(0)), (&json!(2), "`text` is 3; it should be a text"));
    assert!(reason(1).contains("at most 256 are allowed"), "{found}");
    let row = &found["rows"][1];
    assert_eq!(
        row["text"],
        "<|startoftext|><|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\nd<|im_end|>\n"
    );
    let weights: Vec<f64> = serde_json::from_value(row["weights"].clone()).unwrap();
    assert_eq!(weights.len(), row["ids"].as_array().unwrap().len());
    assert_eq!(weights.iter().sum::<f64>(), 2.0);
    assert_eq!(
        (&found["n_batches"], &found["lengths"]["histogram"][0]["n_documents"]),
        (&json!(1), &json!(2))
    );
    assert!(found["lengths"]["longest"].as_u64().unwrap() > 256);
    let share = found["n_supervised"].as_f64().unwrap() / found["n_ids"].as_f64().unwrap();
    assert!((found["supervised_share"].as_f64().unwrap() - share).abs() < 1e-9);
}

#[test]
fn strict_ends_with_3_where_a_row_is_left_out() {
    let files = Files::new();
    let good = files.file("a.jsonl", talk("a", "b"));
    let bad = files.file("b.jsonl", talk("a", "b") + "{}\n");
    assert_eq!(hala(&["data", "check", "--strict"]).arg(&good).run().code, Some(0));
    let done = hala(&["data", "check", "--strict"]).arg(&bad).run();
    assert_eq!(done.code, Some(3));
    assert!(done.stdout.contains("left out  1 row: 1 of no known form"), "{done:?}");
    assert_eq!(hala(&["data", "check"]).arg(&bad).run().code, Some(0));
}

#[test]
fn files_without_a_usable_row_end_with_2() {
    let files = Files::new();
    let done = hala(&["data", "check"]).arg(files.file("a.jsonl", "[{\"text\": \"a\"}]\n")).run();
    assert_eq!(done.code, Some(2));
    done.blames(&["no row can be trained on", "a.jsonl`, line 1", "jq -c"]);
    let done = hala(&["data", "check"]).arg(files.file("b.jsonl", "")).run();
    assert_eq!(done.code, Some(2));
    done.blames(&["the files have no row"]);
}

#[test]
fn what_cannot_be_read_is_refused() {
    let files = Files::new();
    hala(&["data", "check", "no-such-file.jsonl"]).run().refused(&["cannot read `no-such-file.jsonl`"]);
    hala(&["data", "check"])
        .arg(files.file("a.parquet", "x"))
        .run()
        .refused(&["a.parquet", "--form json, pairs or lines"]);
    hala(&["data", "check", "--form", "json"]).arg(files.0.path()).run().refused(&["is a folder"]);
    let short = ["data", "check", "--batch-rows", "64", "--max-length", "65"];
    hala(&short).arg(files.file("a.txt", "x")).run().refused(&["--batch-rows 65"]);
}

#[test]
fn forms_ways_and_replies_are_chosen() {
    let files = Files::new();
    let of = |arguments: &[&str], path: &PathBuf| -> Value {
        hala(&["data", "check", "--json"]).args(arguments).arg(path).run().json()
    };
    let pairs = files.file("pairs", "صباح الخير.\tGood morning.\n");
    let one = of(&["--form", "pairs", "--first", "ar", "--to", "en"], &pairs);
    assert_eq!(one["n_rows"], 1);
    assert!(
        one["rows"][0]["text"].as_str().unwrap().contains("into English:\n\nصباح الخير.<|im_end|>"),
        "{one}"
    );
    assert_eq!(of(&["--form", "lines"], &pairs)["rows"][0]["ids"][0], 1);
    let turns = json!({"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"},
        {"from": "human", "value": "c"}, {"from": "gpt", "value": "d"}]});
    let turns = files.file("turns.jsonl", turns.to_string());
    let n_labels = |arguments: &[&str]| of(arguments, &turns)["n_supervised"].as_u64().unwrap();
    assert_eq!((n_labels(&[]), n_labels(&["--last-reply"])), (4, 2));
}

#[test]
fn a_folder_with_a_tokenizer_and_no_weights_is_enough() {
    let folder = TempDir::new().unwrap();
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(demo_folder().join(name), folder.path().join(name)).unwrap();
    }
    let files = Files::new();
    let path = files.file("a.tsv", PAIRS);
    let found = hala(&["data", "check", "--json"]).arg(&path).model(folder.path()).run().json();
    assert_eq!(found, hala(&["data", "check", "--json"]).arg(&path).run().json());
}
