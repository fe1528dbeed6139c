//! Text to token ids and back, with the built-in model's tokenizer.

use serde_json::json;

use crate::checkpoint::two_layer;
use crate::hala;

const TEXT: &str = "صباح الخير";
const IDS: [u32; 4] = [1, 7607, 604, 344];

#[test]
fn tokens_are_listed_with_the_text_that_they_cover() {
    let table = hala(&["tokenize", TEXT]).run().text();
    let rows: Vec<Vec<_>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["1", "<|startoftext|>"]);
    assert_eq!(rows[1], ["7607", "\"صباح\""]);
    assert_eq!(rows.iter().take(4).map(|row| row[0].parse().unwrap()).collect::<Vec<u32>>(), IDS);
    assert_eq!(table.lines().last().unwrap(), "4 tokens, 10 characters");
}

#[test]
fn json_says_which_bytes_each_token_covers() {
    let found = hala(&["tokenize", "--json", TEXT]).run().json();
    assert_eq!((&found["text"], &found["ids"]), (&json!(TEXT), &json!(IDS)));
    let place = |token: &serde_json::Value, end: &str| token[end].as_u64().unwrap() as usize;
    let tokens = found["tokens"].as_array().unwrap();
    let covered: String = tokens.iter().map(|t| &TEXT[place(t, "start")..place(t, "end")]).collect();
    assert_eq!(covered, TEXT);
}

#[test]
fn the_token_that_begins_a_text_is_left_out_on_request() {
    let found = hala(&["tokenize", "--json", "--no-bos", TEXT]).run().json();
    assert_eq!(found["ids"], json!(IDS[1..]));
}

#[test]
fn ids_become_text_again() {
    for ids in ["7607,604,344", "7607 604 344"] {
        assert_eq!(hala(&["tokenize", "--decode", ids]).run().text(), format!("{TEXT}\n"));
    }
    let found = hala(&["tokenize", "--decode", "1,7607,604,344", "--json"]).run().json();
    assert_eq!(found, json!({ "ids": IDS, "text": format!("<|startoftext|>{TEXT}") }));
}

#[test]
fn standard_input_is_read_where_no_text_is_given() {
    for arguments in [&["tokenize", "--json"][..], &["tokenize", "--json", "-"]] {
        assert_eq!(hala(arguments).input(TEXT).run().json()["ids"], json!(IDS));
    }
}

#[test]
fn a_text_that_begins_with_a_hyphen_comes_after_two() {
    let found = hala(&["tokenize", "--json", "--", "--not-an-option"]).run().json();
    assert_eq!(found["text"], "--not-an-option");
}

#[test]
fn an_id_without_a_token_is_named_with_the_size_of_the_vocabulary() {
    hala(&["tokenize", "--decode", "1,8192"]).run().refused(&["8192 has no token", "8192 ids"]);
    hala(&["tokenize", "--decode", "1,x"]).run().refused(&["\"x\"", "token id"]);
    hala(&["tokenize", "--decode", "-1"]).run().refused(&["\"-1\"", "token id"]);
}

#[test]
fn a_model_without_a_tokenizer_is_refused() {
    hala(&["tokenize", TEXT]).model(two_layer()).run().refused(&["no tokenizer.json"]);
}

#[test]
fn a_text_as_a_message_shows_the_prompt_and_its_ids() {
    let found = hala(&["tokenize", "--chat", "--json", TEXT]).run().json();
    let prompt = format!("<|startoftext|><|im_start|>user\n{TEXT}<|im_end|>\n<|im_start|>assistant\n");
    assert_eq!(found["text"], prompt);
    let decoded = hala(&["tokenize", "--decode", &joined(&found["ids"])]).run().text();
    assert_eq!(decoded.trim_end(), prompt.trim_end());
    let shown = hala(&["tokenize", "--chat", TEXT]).run().text();
    assert!(shown.starts_with(&prompt) && shown.contains("\"صباح\""), "{shown}");
}

fn joined(ids: &serde_json::Value) -> String {
    ids.as_array().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[test]
fn messages_in_a_file_are_a_list_or_a_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("talk.json");
    let messages = json!([{ "role": "system", "content": "s" }, { "role": "user", "content": "u" }]);
    let prompt = "<|startoftext|><|im_start|>system\ns<|im_end|>\n<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\n";
    for json in [messages.clone(), json!({ "messages": messages, "temperature": 1 })] {
        std::fs::write(&file, json.to_string()).unwrap();
        let found = hala(&["tokenize", "--json", "--messages"]).args(&[file.to_str().unwrap()]).run().json();
        assert_eq!(found["text"], prompt);
        let found = hala(&["tokenize", "--json", "--messages", "-"]).input(json.to_string()).run().json();
        assert_eq!(found["text"], prompt);
    }
    hala(&["tokenize", "--messages", "-"]).input("no json").run().refused(&["JSON"]);
}

#[test]
fn another_template_its_variables_and_a_time_make_the_prompt() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.jinja");
    std::fs::write(&file, "{{ a }}{{ b }}{{ c }}|{{ strftime_now('%d %B %Y') }}|{{ messages[0].content }}")
        .unwrap();
    let arguments = ["tokenize", "--json", "--chat", "--chat-template", file.to_str().unwrap()];
    let options = ["--template-arg", "a=true", "--template-arg", "b=[1, \"x\"]", "--template-arg", "c=x=y"];
    let found = hala(&arguments).args(&options).args(&["--now", "2026-03-07", "hi"]).run().json();
    assert_eq!(found["text"], "True[1, 'x']x=y|07 March 2026|hi");
    hala(&arguments)
        .args(&["--template-arg", "messages=1", "hi"])
        .run()
        .refused(&["messages", "another name"]);
    hala(&arguments).args(&["--now", "tomorrow", "hi"]).run().refused(&["tomorrow"]);
    std::fs::write(&file, "\n{% if %}").unwrap();
    hala(&arguments).args(&["hi"]).run().refused(&["t.jinja", "default:2"]);
}
