//! What a checkpoint says of the choice of tokens and of ends of texts holds where the user says nothing.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Hala, demo_folder, hala};

const PROMPT: &str = "Translate everything that follows into Arabic:\n\nGood morning.";

/// The built-in model as a folder with this generation_config.json; null for none.
fn model(generation: &Value) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(demo_folder().join(name), folder.path().join(name)).unwrap();
    }
    if !generation.is_null() {
        std::fs::write(folder.path().join("generation_config.json"), generation.to_string()).unwrap();
    }
    folder
}

fn generate(model: &Path) -> Hala {
    hala(&["generate", "--chat", "--backend", "cpu", "--json", "--prompt", PROMPT]).model(model)
}

/// The file's settings in which everything is likely.
fn wild() -> Value {
    json!({ "do_sample": true, "temperature": 30.0, "top_k": 0, "max_new_tokens": 7, "eos_token_id": [7] })
}

#[test]
fn generate_draws_as_the_checkpoint_says_and_each_option_changes_its_own_setting() {
    let (greedy, wild) = (model(&json!({ "eos_token_id": 7 })), model(&wild()));
    let likeliest = generate(greedy.path()).run().json();
    assert_eq!(likeliest["sampling"]["temperature"], 0.0);
    let drawn = generate(wild.path()).run().json();
    assert_ne!(drawn["text"], likeliest["text"]);
    assert_eq!((&drawn["sampling"]["temperature"], &drawn["sampling"]["top_k"]), (&json!(30.0), &json!(0)));
    assert_eq!((&drawn["finish"], drawn["ids"].as_array().unwrap().len()), (&json!("length"), 7));
    for options in [["--temperature", "0"], ["--top-k", "1"], ["--min-p", "1"]] {
        let found = generate(wild.path()).args(&options).args(&["--max-tokens", "30"]).run().json();
        assert_eq!(found["text"], likeliest["text"], "{options:?}");
    }
}

#[test]
fn chat_draws_as_the_checkpoint_says() {
    let chat = |generation: &Value| {
        let folder = model(generation);
        let run = hala(&["chat", "--backend", "cpu", "--max-tokens", "20"]).model(folder.path());
        run.input(format!("{}\n", PROMPT.replace('\n', " "))).run().text()
    };
    let likeliest = chat(&json!({ "do_sample": false, "temperature": 30.0 }));
    assert_eq!(chat(&json!({ "do_sample": true, "temperature": 30.0, "top_k": 1 })), likeliest);
    assert_ne!(chat(&wild()), likeliest);
}

#[test]
fn translate_takes_the_likeliest_tokens_whatever_the_checkpoint_says() {
    let expected = hala(&["translate", "Good morning."]).run().text();
    for generation in [wild(), json!({ "do_sample": true, "temperature": "hot" })] {
        let folder = model(&generation);
        let run = hala(&["translate", "Good morning.", "--backend", "cpu"]).model(folder.path());
        assert_eq!(run.run().text(), expected);
    }
}

#[test]
fn a_value_that_means_nothing_is_named_with_its_file_unless_the_user_gives_another() {
    let folder = model(&json!({ "do_sample": true, "temperature": "hot" }));
    generate(folder.path()).run().refused(&["generation_config.json has temperature = \"hot\"", "a number"]);
    generate(folder.path()).args(&["--temperature", "0"]).run().json();
    // The user's own mistake comes first, and before anything is loaded.
    let both = hala(&["generate", "--prompt", "x", "--top-p", "2"]).model("no-such-model");
    both.run().refused(&["top_p is 2"]);
}

#[test]
fn settings_that_are_not_followed_are_named_once() {
    let folder = model(&json!({ "do_sample": true, "top_k": 1, "typical_p": 0.9, "num_beams": 4 }));
    let run = || {
        let run = hala(&["generate", "--ids", "1,5", "--max-tokens", "2", "--backend", "cpu"]);
        run.model(folder.path())
    };
    let done = run().run();
    assert_eq!(
        done.stderr.matches("typical_p 0.9, num_beams 4, which hala does not do").count(),
        1,
        "{done:?}"
    );
    assert_eq!(run().arg("--quiet").run().stderr, "");
}

#[test]
fn inspect_shows_how_tokens_are_chosen_and_where_texts_end() {
    let folder = model(&json!({
        "do_sample": true, "temperature": 0.3, "min_p": 0.15, "repetition_penalty": 1.05, "typical_p": 0.9,
        "eos_token_id": [2, 99_999], "max_new_tokens": 1,
    }));
    let text = hala(&["inspect"]).arg(folder.path()).run().text();
    for part in [
        "temperature 0.3, top k 50, min p 0.15, repetition penalty 1.05; at most 1 token; not done: typical_p 0.9",
        "2, 7 ([99999] of the files are no tokens)",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let found = hala(&["inspect", "--json"]).arg(folder.path()).run().json();
    assert_eq!((&found["sampling"]["top_k"], &found["sampling"]["max_tokens"]), (&json!(50), &json!(1)));
    assert_eq!(found["tokenizer"]["eos"], json!([2, 7]));
    let silent = hala(&["inspect", "--json"]).run().json();
    assert_eq!((&silent["sampling"], &silent["tokenizer"]["eos"]), (&Value::Null, &json!([7])));
}

#[test]
fn a_text_ends_at_every_id_that_the_checkpoint_names() {
    let folder = model(&json!({ "eos_token_id": 2 }));
    std::fs::write(folder.path().join("special_tokens_map.json"), r#"{"eos_token": "<|startoftext|>"}"#)
        .unwrap();
    for (id, finish) in [(2, "stop"), (7, "stop"), (1, "stop"), (20, "length")] {
        let run = hala(&["generate", "--ids", "1,20", "--max-tokens", "3", "--json", "--backend", "cpu"]);
        let json = run.arg("--logit-bias").arg(format!("{id}=1000")).model(folder.path()).run().json();
        assert_eq!(json["finish"], finish, "{id}");
    }
}

#[test]
fn a_model_without_a_tokenizer_ends_texts_at_the_ids_of_its_files() {
    let copy = crate::checkpoint::Copy::new().set("eos_token_id", 9);
    let run = |options: &[&str]| {
        let run =
            hala(&["generate", "--ids", "1,5", "--max-tokens", "3", "--json", "--logit-bias", "9=1000"]);
        run.args(options).model(copy.path()).run().json()
    };
    assert_eq!(run(&[])["finish"], "stop");
    assert_eq!(run(&["--ignore-eos"])["finish"], "length");
}
