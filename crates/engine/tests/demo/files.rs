//! What a checkpoint's files say of ends of texts and of the choice of tokens.

use hala_engine::{EndIds, Sampling, SamplingChoice, SamplingDefaults, open_tokenizer};
use hala_weights::Checkpoint;
use serde_json::{Value, json};

/// The built-in model with other files; null takes one away.
fn checkpoint(files: &[(&str, Value)]) -> Checkpoint {
    let mut all = hala_demo_model::files();
    for (name, content) in files {
        all.retain(|(own, _)| own != name);
        if !content.is_null() {
            all.push(((*name).to_owned(), content.to_string().into_bytes().into()));
        }
    }
    Checkpoint::from_files(all).unwrap()
}

/// config.json of the built-in model with these values changed.
fn config(changes: &Value) -> Value {
    let files = hala_demo_model::files();
    let (_, bytes) = files.iter().find(|(name, _)| name == "config.json").unwrap();
    let mut config: Value = serde_json::from_slice(bytes).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    config
}

fn end_ids(files: &[(&str, Value)]) -> EndIds {
    let checkpoint = checkpoint(files);
    let tokenizer = open_tokenizer(&checkpoint).unwrap();
    EndIds::read(&checkpoint, tokenizer.as_ref()).unwrap()
}

const GENERATION: &str = "generation_config.json";
const CONFIG: &str = "config.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const MAP: &str = "special_tokens_map.json";

#[test]
fn a_text_ends_where_any_file_says_so() {
    let no_token = || (TOKENIZER_CONFIG, json!({}));
    for (files, ids) in [
        (vec![], vec![7]),
        (vec![(GENERATION, json!({ "eos_token_id": [2, 7, 2] }))], vec![2, 7]),
        (vec![(GENERATION, json!({ "eos_token_id": 5 }))], vec![5, 7]),
        (vec![(MAP, json!({ "eos_token": "<|endoftext|>" }))], vec![7, 2]),
        (vec![no_token(), (MAP, json!({ "eos_token": { "content": "<|endoftext|>" } }))], vec![7, 2]),
        // config.json counts where there is no generation_config.json, or none of its own words.
        (
            vec![(GENERATION, json!(null)), (CONFIG, config(&json!({ "eos_token_id": [3, 4] })))],
            vec![3, 4, 7],
        ),
        (
            vec![(GENERATION, json!({ "top_k": 5 })), (CONFIG, config(&json!({ "eos_token_id": 3 })))],
            vec![3, 7],
        ),
        (
            vec![(GENERATION, json!({ "eos_token_id": 2 })), (CONFIG, config(&json!({ "eos_token_id": 3 })))],
            vec![2, 7],
        ),
        (
            vec![
                (GENERATION, json!(null)),
                (CONFIG, config(&json!({ "eos_token_id": null, "text_config": { "eos_token_id": 3 } }))),
            ],
            vec![3, 7],
        ),
        // Only where nothing is named at all, the end of a turn stands in.
        (vec![no_token(), (GENERATION, json!({ "eos_token_id": 3 }))], vec![3]),
        (
            vec![no_token(), (GENERATION, json!({})), (CONFIG, config(&json!({ "eos_token_id": null })))],
            vec![7],
        ),
    ] {
        assert_eq!(end_ids(&files).ids, ids, "{files:?}");
    }
}

#[test]
fn ids_of_no_token_are_passed_over_and_words_for_ids_are_errors() {
    let found = end_ids(&[(GENERATION, json!({ "eos_token_id": [7, 99_999, -1] }))]);
    assert_eq!(found, EndIds { ids: vec![7], passed_over: vec![99_999, -1] });
    for wrong in [json!("7"), json!([7, "2"]), json!(7.5), json!({})] {
        let checkpoint = checkpoint(&[(GENERATION, json!({ "eos_token_id": wrong }))]);
        let message = EndIds::read(&checkpoint, None).unwrap_err().to_string();
        assert!(message.contains("generation_config.json has eos_token_id"), "{message}");
    }
}

/// What is chosen by where a file says this.
fn chosen(generation: Value, choice: &SamplingChoice) -> Result<Sampling, String> {
    let defaults = SamplingDefaults::read(&checkpoint(&[(GENERATION, generation)])).unwrap();
    defaults.choose(&Sampling::conversation(), choice).map_err(|e| e.to_string())
}

#[test]
fn a_file_that_says_nothing_of_sampling_leaves_it_to_the_caller() {
    let nobody = SamplingChoice::default();
    assert_eq!(chosen(json!({ "eos_token_id": 7 }), &nobody), Ok(Sampling::conversation()));
    assert_eq!(chosen(json!({ "max_new_tokens": 9, "top_k": null }), &nobody), Ok(Sampling::conversation()));
}

#[test]
fn a_file_is_read_as_transformers_reads_it() {
    let nobody = SamplingChoice::default();
    let base = Sampling { top_k: 50, ..Sampling::default() };
    for (file, expected) in [
        (json!({ "do_sample": true }), Sampling { temperature: 1.0, ..base.clone() }),
        (
            json!({ "do_sample": true, "temperature": 0.6, "top_p": 0.9, "top_k": 0 }),
            Sampling { temperature: 0.6, top_p: 0.9, top_k: 0, ..base.clone() },
        ),
        (
            json!({ "do_sample": true, "min_p": 0.15, "repetition_penalty": 1.05, "temperature": 0.3 }),
            Sampling { temperature: 0.3, min_p: 0.15, repetition_penalty: 1.05, ..base.clone() },
        ),
        // Without `do_sample` the likeliest token is taken, and the penalty holds all the same.
        (
            json!({ "temperature": 0.6, "repetition_penalty": 1.2 }),
            Sampling { repetition_penalty: 1.2, ..base.clone() },
        ),
        (json!({ "do_sample": false, "top_k": 7 }), Sampling { top_k: 7, ..base.clone() }),
        (json!({ "do_sample": true, "temperature": 0.0 }), base.clone()),
        (json!({ "do_sample": true, "top_p": 2.0 }), Sampling { temperature: 1.0, ..base }),
    ] {
        assert_eq!(chosen(file.clone(), &nobody), Ok(expected), "{file}");
    }
}

#[test]
fn config_json_stands_in_for_the_file_that_is_not_there() {
    let changes = json!({ "do_sample": true, "temperature": 0.5, "top_k": 3 });
    let checkpoint = checkpoint(&[(GENERATION, json!(null)), (CONFIG, config(&changes))]);
    let defaults = SamplingDefaults::read(&checkpoint).unwrap();
    let found = defaults.sampling().unwrap();
    assert_eq!((defaults.file(), found.temperature, found.top_k), (Some("config.json"), 0.5, 3));
}

#[test]
fn each_setting_that_somebody_chooses_leaves_the_others() {
    let file = json!({ "do_sample": true, "temperature": 0.6, "top_k": 20, "top_p": 0.9 });
    let found = chosen(file.clone(), &SamplingChoice { top_k: Some(3), seed: Some(5), ..Default::default() });
    let expected = Sampling { temperature: 0.6, top_k: 3, top_p: 0.9, seed: 5, ..Sampling::default() };
    assert_eq!(found, Ok(expected));
    let greedy = chosen(file, &SamplingChoice { temperature: Some(0.0), ..Default::default() }).unwrap();
    assert_eq!((greedy.temperature, greedy.top_k), (0.0, 20));
}

#[test]
fn a_value_that_means_nothing_is_an_error_where_it_would_count() {
    for (key, value) in [
        ("temperature", json!("hot")),
        ("temperature", json!(-1.0)),
        ("temperature", json!(1e300)),
        ("top_k", json!(2.5)),
        ("top_k", json!(-1)),
        ("min_p", json!(3)),
        ("repetition_penalty", json!(0)),
        ("do_sample", json!("yes")),
    ] {
        let file = |draws: bool| {
            let mut file = json!({ "do_sample": draws });
            file[key] = value.clone();
            file
        };
        let message = chosen(file(true), &SamplingChoice::default()).unwrap_err();
        let expected = format!("generation_config.json has {key} = {value}, where ");
        assert!(message.starts_with(&expected), "{message}");
        let choice = SamplingChoice {
            temperature: Some(0.5),
            top_k: Some(1),
            min_p: Some(0.0),
            repetition_penalty: Some(1.0),
            ..SamplingChoice::default()
        };
        assert!(chosen(file(true), &choice).is_ok(), "{key}");
    }
    // Where no token is drawn, what only draws look at does not count.
    assert!(chosen(json!({ "do_sample": false, "top_k": -1 }), &SamplingChoice::default()).is_ok());
}

#[test]
fn the_most_tokens_are_the_file_s_unless_somebody_says_so() {
    let read = |value: Value| {
        SamplingDefaults::read(&checkpoint(&[(GENERATION, json!({ "max_new_tokens": value }))])).unwrap()
    };
    assert_eq!(read(json!(9)).max_tokens(None).unwrap(), Some(9));
    assert_eq!(read(json!(9)).max_tokens(Some(20)).unwrap(), Some(20));
    assert_eq!(read(json!(null)).max_tokens(None).unwrap(), None);
    assert!(read(json!(0)).max_tokens(None).unwrap_err().to_string().contains("max_new_tokens = 0"));
    assert_eq!(read(json!(0)).max_tokens(Some(2)).unwrap(), Some(2));
}

#[test]
fn settings_that_are_not_followed_are_named() {
    let file = json!({
        "typical_p": 0.9, "num_beams": 4, "top_h": 0.4, "bad_words_ids": [[5]], "forced_eos_token_id": 2,
        "epsilon_cutoff": 0.0, "num_beam_groups": 1, "suppress_tokens": [], "stop_strings": null, "use_cache": true,
    });
    let defaults = SamplingDefaults::read(&checkpoint(&[(GENERATION, file)])).unwrap();
    let expected =
        ["typical_p 0.9", "top_h 0.4", "num_beams 4", "bad_words_ids [[5]]", "forced_eos_token_id 2"];
    assert_eq!(defaults.passed_over(), expected);
}
