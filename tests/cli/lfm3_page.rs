//! A tiny LFM3 that the browser's tests load too: all backends say the same.

use std::path::Path;

use serde_json::Value;
use tempfile::tempdir;

use crate::{demo_folder, hala};

#[test]
fn a_tiny_lfm3_says_what_its_page_is_held_to() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/lfm3-page");
    let folder = tempdir().unwrap();
    for (from, name) in [
        (files.clone(), "config.json"),
        (files.clone(), "model.safetensors"),
        (demo_folder(), "tokenizer.json"),
        (demo_folder(), "tokenizer_config.json"),
    ] {
        std::fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    let done = hala(&["chat", "--weights", "f32", "--temperature", "0", "--max-tokens", "24", "--json"])
        .model(folder.path())
        .input("صباح الخير\n")
        .run();
    let line: Value = serde_json::from_str(&done.text()).unwrap();
    let said = std::fs::read_to_string(files.join("said.txt")).unwrap();
    assert_eq!(line["message"]["content"], said.trim_end());
}
