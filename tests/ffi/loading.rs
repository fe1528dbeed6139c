//! Models that cannot be loaded: each ends with its status, in words that say what was found and what to do.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::client::Client;
use crate::compiler::{Watch, root};

/// The client, for a model that is named in one of its ways; what it says is the word of a status with the error.
fn loading(way: &str, what: impl AsRef<std::ffi::OsStr>) -> Option<Client> {
    Some(Client::of("tests/ffi/load.c", Watch::Nothing)?.arg(way).arg(what))
}

/// Checks how loading ends.
#[track_caller]
fn ends(client: Option<Client>, status: &str, words: &[&str]) {
    let Some(said) = client.map(Client::run) else { return };
    assert!(said.starts_with(&format!("{status}: ")), "expected {status}, found {said}");
    for word in words {
        assert!(said.contains(word), "expected {word:?} in {said}");
    }
}

fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}

/// A copy of a fixture's config.json and weights, with the built-in model's tokenizer, as large as its vocabulary.
fn copied(name: &str, change: impl Fn(&str, Vec<u8>) -> Vec<u8>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (model, tokenizer) = (fixture(name), root().join("crates/demo-model/files"));
    let files: [(&Path, &str); 4] = [
        (&model, "config.json"),
        (&model, "model.safetensors"),
        (&tokenizer, "tokenizer.json"),
        (&tokenizer, "tokenizer_config.json"),
    ];
    for (from, file) in files {
        let bytes = change(file, std::fs::read(from.join(file)).unwrap());
        std::fs::write(folder.path().join(file), bytes).unwrap();
    }
    folder
}

#[test]
fn a_model_that_is_whole_loads() {
    let folder = copied("lfm3-page", |_, bytes| bytes);
    ends(loading("path", folder.path()), "ok", &[]);
}

#[test]
fn what_is_known_of_gpus_is_kept_where_the_app_says() {
    let folder = copied("lfm3-page", |_, bytes| bytes);
    let Some(client) = loading("auto", folder.path()) else { return };
    assert!(client.run().starts_with("ok: "));
    assert!(folder.path().join("devices").is_dir());
}

#[test]
fn files_that_are_missing() {
    ends(loading("path", "no/such/folder"), "missing-file", &["no/such/folder", "does not exist"]);
    ends(loading("path", fixture("lfm2")), "missing-file", &["model.safetensors", "four-layer"]);
    ends(loading("path", fixture("lfm2/two-layer")), "no-tokenizer", &["tokenizer.json"]);
}

#[test]
fn files_that_are_damaged() {
    let script = fixture("lfm2/make_lfm2.py");
    ends(loading("path", script), "damaged-model", &["neither a safetensors nor a GGUF file"]);
    let cut = copied("lfm3-page", |file, mut bytes| {
        if file == "model.safetensors" {
            bytes.truncate(bytes.len() / 2);
        }
        bytes
    });
    ends(loading("path", cut.path()), "damaged-model", &["model.safetensors"]);
    let no_json =
        copied("lfm3-page", |file, bytes| if file == "config.json" { b"{".to_vec() } else { bytes });
    ends(loading("path", no_json.path()), "damaged-model", &["config.json"]);
}

#[test]
fn a_model_that_hala_does_not_know() {
    let folder = copied("lfm3-page", |file, bytes| {
        if file != "config.json" {
            return bytes;
        }
        String::from_utf8(bytes).unwrap().replace("\"lfm3\"", "\"nonesuch\"").into_bytes()
    });
    ends(loading("path", folder.path()), "unsupported-model", &["nonesuch"]);
}

/// Every weight is 1e15, so that products overflow, which is found when the model computes.
#[test]
fn a_model_that_computes_no_numbers() {
    let folder = copied("lfm3-page", |file, mut bytes| {
        if file == "model.safetensors" {
            let n_header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let large = 0x5863u16.to_le_bytes();
            bytes[8 + n_header..].iter_mut().zip(large.into_iter().cycle()).for_each(|(b, large)| *b = large);
        }
        bytes
    });
    ends(loading("path", folder.path()), "not-finite", &["a number is needed"]);
}

#[test]
fn a_name_that_is_none() {
    ends(loading("hub", "a/b/c/d"), "invalid-request", &["a/b/c/d", "owner/name"]);
    ends(loading("backend", "steam"), "invalid-argument", &["steam"]);
}

#[test]
fn a_device_that_is_not_there() {
    ends(loading("adapter", "no such card"), "device-refused", &["wgpu"]);
}

#[test]
fn a_server_that_cannot_be_reached() {
    let home = tempfile::tempdir().unwrap();
    let client = loading("hub", "team/small-model");
    let client = client.map(|client| client.env("HF_HUB_OFFLINE", "0").env("HF_HOME", home.path()));
    ends(client, "network", &["127.0.0.1:9"]);
}
