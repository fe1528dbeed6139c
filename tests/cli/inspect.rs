//! What `hala inspect` tells of a checkpoint, and of one that cannot be run.

use serde_json::{Value, json};

use crate::checkpoint::{Copy, two_layer};
use crate::{hala, names};

const W1: &str = "model.layers.0.feed_forward.w1.weight";

#[test]
fn people_see_config_sizes_and_tensors() {
    let text = hala(&["inspect"]).arg(two_layer()).run().text();
    let lines = [
        "73,312",
        "BF16: 21 tensors",
        "lfm2, 2 layers of width 64, vocabulary of 113",
        "512 tokens at most",
        "256 bytes a token",
        "hidden_size: 64",
        W1,
        "[96, 64]",
    ];
    for line in lines {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[test]
fn json_holds_the_same() {
    let found = hala(&["inspect", "--json"]).arg(two_layer()).run().json();
    let config: Value =
        serde_json::from_str(&std::fs::read_to_string(two_layer().join("config.json")).unwrap()).unwrap();
    assert_eq!(found["config"], config);
    assert_eq!(found["facts"]["n_vocab"], 113);
    assert_eq!(found["n_parameters"], 73_312);
    assert_eq!(found["dtypes"]["BF16"]["n_bytes"], found["n_bytes"]);
    assert_eq!((&found["tokenizer"], &found["unsupported"]), (&Value::Null, &json!([])));
    let tensors = found["tensors"].as_array().unwrap();
    assert!(tensors.contains(&json!({ "name": W1, "dtype": "BF16", "shape": [96, 64] })), "{found}");
    let formats: Vec<_> = found["weights"].as_array().unwrap().iter().map(|w| &w["format"]).collect();
    assert_eq!(formats, ["f32", "bf16", "f16", "int8", "fp8", "int4"]);
    for held in found["weights"].as_array().unwrap() {
        assert!(held["n_bytes"].as_u64() >= held["bytes_per_token"].as_u64(), "{held}");
    }
}

#[test]
fn the_model_is_named_in_either_way_and_is_the_built_in_one_otherwise() {
    let positional = hala(&["inspect"]).arg(two_layer()).run().text();
    assert_eq!(hala(&["inspect"]).model(two_layer()).run().text(), positional);
    let file = hala(&["inspect", "--json"]).arg(two_layer().join("model.safetensors")).run().json();
    assert_eq!(file["n_parameters"], 73_312);
    let built_in = hala(&["inspect", "--json"]).run().json();
    assert_eq!(built_in["tokenizer"]["n_vocab"], 8192);
    assert_eq!(built_in["tokenizer"]["has_chat_template"], true);
}

#[test]
fn the_memory_that_it_will_take_is_told() {
    for run in [hala(&["inspect"]), hala(&["inspect"]).arg(two_layer())] {
        let text = run.run().text();
        for (row, part) in
            [("memory", "of weights"), ("memory", "while it loads"), ("session", "for a full context")]
        {
            let line = text.lines().find(|line| line.trim_start().starts_with(row)).unwrap();
            assert!(line.contains(part), "{line}");
        }
    }
    for run in [hala(&["inspect", "--json"]), hala(&["inspect", "--json"]).arg(two_layer())] {
        let found = run.run().json();
        let bytes = |name: &str| found["memory"][name].as_u64().unwrap();
        assert!(bytes("weight_bytes") > bytes("largest_weight_bytes"));
        let parts = ["weight_bytes", "largest_weight_bytes", "tokenizer_bytes"].map(bytes);
        assert_eq!(bytes("peak_bytes"), parts.iter().sum::<u64>().max(bytes("tokenizer_reading_bytes")));
        assert!(bytes("sequence_bytes") > found["facts"]["state_bytes"].as_u64().unwrap());
    }
    // BF16 in the files is int8 in memory, and the fixture has no tokenizer.
    let found = hala(&["inspect", "--json"]).arg(two_layer()).run().json();
    assert_eq!(found["memory"]["tokenizer_bytes"], 0);
    assert_eq!(found["memory"]["weight_bytes"], found["weights"][3]["n_bytes"]);
}

#[test]
fn no_weight_is_read() {
    let copy = Copy::new().change(|header, data| {
        let not_a_number = [0xff; 2].repeat(header.range(W1).len() / 2);
        header.replace(W1, &not_a_number, data);
    });
    let whole = hala(&["inspect", "--json"]).arg(two_layer()).run().json();
    assert_eq!(hala(&["inspect", "--json"]).arg(copy.path()).run().json()["memory"], whole["memory"]);
}

/// Checks that a checkpoint that cannot be run is shown all the same, with the reason in both places.
#[track_caller]
fn check_unsupported(copy: &Copy, faults: &[&str]) {
    let before = names(copy.path());
    let done = hala(&["inspect", "--json"]).arg(copy.path()).run();
    assert_eq!(done.code, Some(2), "{done:?}");
    done.blames(faults);
    let found: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(found["n_parameters"], 73_312);
    let reasons = found["unsupported"].to_string();
    faults.iter().for_each(|fault| assert!(reasons.contains(fault), "{fault} is not in {reasons}"));
    let words = hala(&["inspect"]).arg(copy.path()).run();
    assert_eq!((words.code, words.stderr), (Some(2), done.stderr));
    assert!(words.stdout.contains("73,312"), "{}", words.stdout);
    assert_eq!(names(copy.path()), before);
}

#[test]
fn an_architecture_that_is_not_supported_is_named_and_its_tensors_shown() {
    check_unsupported(&Copy::new().set("model_type", "mamba9"), &["mamba9", "lfm2"]);
}

#[test]
fn a_layer_of_a_kind_that_is_not_supported_is_named() {
    check_unsupported(&Copy::new().set("layer_types", json!(["conv", "mamba"])), &["mamba"]);
}

#[test]
fn a_way_of_quantising_that_is_not_supported_is_named() {
    let copy = Copy::new().set("quantization_config", json!({ "quant_method": "gptq" }));
    check_unsupported(&copy, &["gptq", "not supported"]);
}

#[test]
fn elements_that_are_not_supported_are_named() {
    let copy = Copy::new().change(|header, data| {
        let n_elements = header.range(W1).len() / 2;
        header.replace(W1, &vec![0x38; n_elements], data);
        header.set(W1, "dtype", "F8_E4M3");
    });
    check_unsupported(&copy, &[W1, "F8_E4M3", "not supported"]);
}

#[test]
fn a_tokenizer_that_cannot_be_read_is_named() {
    let copy = Copy::new();
    std::fs::write(copy.path().join("tokenizer.json"), "{}").unwrap();
    check_unsupported(&copy, &["tokenizer.json"]);
}
