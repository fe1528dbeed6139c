//! config.json in all its dialects, and what is said when it is wrong.

use hala_weights::{Config, WeightsError};

fn config(text: &str) -> Config {
    Config::parse("config.json", text).unwrap()
}

fn message<T: std::fmt::Debug>(result: Result<T, WeightsError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn values_are_found_under_any_of_their_names() {
    let config = config(
        r#"{"num_heads": 16, "norm_eps": 1e-5, "theta": 1000000, "tie_embedding": true, "model_type": "lfm2",
            "architectures": ["Lfm2ForCausalLM"], "full_attn_idxs": null, "layer_types": ["conv", "full_attention"],
            "rope_parameters": {"rope_theta": 10000.0}, "eos_token_id": 7, "stop": [7, 2]}"#,
    );
    assert_eq!(config.usize(&["num_attention_heads", "num_heads"]).unwrap(), Some(16));
    assert_eq!(config.f64(&["norm_eps"]).unwrap(), Some(1e-5));
    assert_eq!(config.f64(&["rope_theta", "theta"]).unwrap(), Some(1e6));
    assert_eq!(config.bool(&["tie_word_embeddings", "tie_embedding"]).unwrap(), Some(true));
    assert_eq!(config.list_usize(&["full_attn_idxs"]).unwrap(), None);
    assert_eq!(config.list_str(&["layer_types"]).unwrap().unwrap(), ["conv", "full_attention"]);
    assert_eq!(config.architecture().unwrap(), Some("Lfm2ForCausalLM"));
    assert_eq!(config.model_type().unwrap(), Some("lfm2"));
    let rope = config.object("rope_parameters").unwrap().unwrap();
    assert_eq!(rope.f64(&["rope_theta"]).unwrap(), Some(10000.0));
    assert!(config.object("rope_scaling").unwrap().is_none());
    assert_eq!(config.one_or_more_usize(&["eos_token_id"]).unwrap().unwrap(), [7]);
    assert_eq!(config.one_or_more_usize(&["stop"]).unwrap().unwrap(), [7, 2]);
}

#[test]
fn a_wrong_type_names_the_key_the_value_and_what_is_expected() {
    let config =
        config(r#"{"heads": "16", "eps": true, "n": -1, "x": 1.5, "rope": {"theta": []}, "list": [1, "a"]}"#);
    assert_eq!(
        message(config.usize(&["heads"])),
        "config.json: `heads` is \"16\", where a whole number from 0 is expected"
    );
    assert!(message(config.f64(&["eps"])).contains("`eps` is true, where a number"));
    assert!(message(config.usize(&["n"])).contains("`n` is -1"));
    assert!(message(config.usize(&["x"])).contains("`x` is 1.5"));
    assert!(message(config.list_usize(&["list"])).contains(r#"`list` is [1,"a"]"#));
    assert!(message(config.object("x")).contains("an object is expected"));
    let rope = config.object("rope").unwrap().unwrap();
    assert!(message(rope.f64(&["theta"])).contains("`rope.theta` is []"));
    assert!(rope.missing(&["a", "b"]).to_string().contains("has no `rope.a` or `rope.b`"));
}

#[test]
fn names_of_one_value_must_agree() {
    let agreeing = config(r#"{"rope_theta": 1000000, "theta": 1e6}"#);
    assert_eq!(agreeing.f64(&["rope_theta", "theta"]).unwrap(), Some(1e6));
    let disagreeing = config(r#"{"num_heads": 16, "num_attention_heads": 32}"#);
    let message = message(disagreeing.usize(&["num_attention_heads", "num_heads"]));
    assert!(message.contains("`num_attention_heads` is 32 and `num_heads` is 16"), "{message}");
}

#[test]
fn numbers_that_json_does_not_have_are_named_with_their_line() {
    for (text, literal, line) in [
        ("{\"a\": NaN}", "NaN", 1),
        ("{\n\"a\": -Infinity}", "Infinity", 2),
        ("{\"a\": \"\\\"\",\n\n \"b\": [1, Infinity]}", "Infinity", 3),
    ] {
        match Config::parse("config.json", text) {
            Err(WeightsError::NotANumber { literal: l, line: n, .. }) => assert_eq!((l, n), (literal, line)),
            other => panic!("{other:?}"),
        }
    }
    let in_strings = config(r#"{"NaN": "Infinity \" NaN", "Infinity": 1}"#);
    assert_eq!(in_strings.usize(&["Infinity"]).unwrap(), Some(1));
}

#[test]
fn what_is_no_object_is_refused() {
    for text in ["", "[]", "3", "{", "{\"a\": 1e999}", "{\"a\" 1}", "\u{1f600}"] {
        assert!(matches!(Config::parse("c.json", text), Err(WeightsError::Json { .. })), "{text}");
    }
}

#[test]
fn a_long_value_is_cut_in_the_message_between_characters() {
    let text = format!(r#"{{"a": "{}"}}"#, "ص".repeat(500));
    let message = message(config(&text).usize(&["a"]));
    assert!(message.contains('…') && message.chars().count() < 200, "{message}");
}
