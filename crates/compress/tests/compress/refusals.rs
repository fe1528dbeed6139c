//! What cannot be compressed is refused by name, and leaves nothing behind.

use std::path::Path;

use hala_compress::{CompressError, Recipe};

use crate::files::{contents, fixture, folder, recipe, run, scheme};

/// The message of a run on a checkpoint with this weight file; nothing may be left of it.
fn refused(weights: &[u8], recipe: &Recipe) -> String {
    let input = folder(&[("model.safetensors", weights)]);
    let error = run(input.path(), &input.path().join("out"), recipe).unwrap_err();
    let names: Vec<String> = contents(input.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["config.json", "model.safetensors"], "{error}");
    error.to_string()
}

fn weights() -> Vec<u8> {
    std::fs::read(fixture("model.safetensors")).unwrap()
}

/// Where the header ends.
fn data_start(file: &[u8]) -> usize {
    8 + u64::from_le_bytes(*file.first_chunk().unwrap()) as usize
}

#[test]
fn damaged_files_are_refused() {
    let whole = weights();
    let start = data_start(&whole);
    let header = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let text = std::str::from_utf8(&whole[8..start]).unwrap();
        assert!(text.contains(from), "{from}");
        [&whole[..8], text.replacen(from, to, 1).as_bytes(), &whole[start..]].concat()
    };
    let cases: [(Vec<u8>, &str); 9] = [
        (Vec::new(), "empty"),
        (whole[..7].to_vec(), "7 bytes"),
        (whole[..start - 1].to_vec(), "header"),
        (whole[..whole.len() - 1].to_vec(), "cut off"),
        ([&whole[..], &[0]].concat(), "belongs to no tensor"),
        (header("BF16", "BF15"), "BF15"),
        (header("[40,64]", "[40,65]"), "given 5120 bytes"),
        (header("embed_tokens", "norm_tokens\\"), "header"),
        (header("{\"", "[\""), "header"),
    ];
    for (bytes, word) in cases {
        let message = refused(&bytes, &recipe("int8"));
        assert!(message.contains(word) && message.contains("model.safetensors"), "{message}");
    }
}

#[test]
fn a_value_that_is_not_finite_is_named_with_its_row() {
    for (bits, word) in [(0x7fc0u16, "NaN"), (0xff80, "-inf")] {
        let mut bytes = weights();
        let place = place_of(&bytes, "model.layers.0.conv.in_proj.weight");
        // The last element of row 7.
        bytes[place + 2 * (8 * 64 - 1)..][..2].copy_from_slice(&bits.to_le_bytes());
        let message = refused(&bytes, &recipe("int8"));
        assert!(message.contains("conv.in_proj.weight") && message.contains("row 7"), "{message}");
        assert!(message.contains(word), "{message}");
    }
}

/// The first byte of a tensor.
fn place_of(file: &[u8], name: &str) -> usize {
    let start = data_start(file);
    let header: serde_json::Value = serde_json::from_slice(&file[8..start]).unwrap();
    start + header[name]["data_offsets"][0].as_u64().unwrap() as usize
}

#[test]
fn recipes_that_do_not_fit_are_refused() {
    let message = refused(&weights(), &Recipe::of_scheme("int4-w4a16".parse().unwrap(), &[]).unwrap());
    assert!(message.contains("groups of 128") && message.contains("divides 64"), "{message}");
    let message = refused(&weights(), &Recipe::of_scheme(scheme("fp8-static"), &[]).unwrap());
    assert!(message.contains("--calibrate") && message.contains("conv.in_proj"), "{message}");
    let all = ["re:.*".to_owned()];
    let message = refused(&weights(), &Recipe::of_scheme(scheme("int8"), &all).unwrap());
    assert!(message.contains("quantises nothing"), "{message}");
    let one = ["re:.*q_proj".to_owned()];
    let message = refused(&weights(), &Recipe::of_scheme(scheme("int8"), &one).unwrap());
    assert!(message.contains("q_proj") && message.contains("k_proj"), "{message}");
}

#[test]
fn what_is_compressed_already_is_refused() {
    let input = folder(&[]);
    let first = input.path().join("first");
    run(input.path(), &first, &recipe("int8")).unwrap();
    let error = run(&first, &input.path().join("second"), &recipe("int8")).unwrap_err();
    assert!(matches!(error, CompressError::AlreadyQuantised { .. }), "{error}");
    assert!(error.to_string().contains("compressed-tensors"), "{error}");
}

#[test]
fn a_folder_without_a_config_is_refused() {
    let input = folder(&[]);
    std::fs::remove_file(input.path().join("config.json")).unwrap();
    let message = run(input.path(), Path::new("out"), &recipe("int8")).unwrap_err().to_string();
    assert!(message.contains("config.json"), "{message}");
}
