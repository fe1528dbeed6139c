//! What a checkpoint's folder has beside its weights, and tensors that go from one to another as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::UNIX_EPOCH;

use hala_weights::{Checkpoint, INDEX_FILE, SafetensorsLayout, WEIGHTS_FILE};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::error::CompressError;
use crate::job::{OutFile, Sink};

/// Bytes that are copied at once.
const CHUNK_BYTES: usize = 1 << 20;

/// Endings of weights in other formats, which would stand beside the new ones unchanged.
const OTHER_WEIGHTS: [&str; 6] = [".bin", ".pt", ".pth", ".gguf", ".onnx", ".bin.index.json"];

/// What work is done on what: by this an interrupted run is known again.
pub(crate) fn fingerprint<const N: usize>(
    work: &str,
    inputs: &[&Checkpoint],
    settings: [(&str, Value); N],
) -> Value {
    let mut map = Map::new();
    map.insert("work".to_owned(), json!(work));
    map.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
    map.extend(settings.map(|(key, value)| (key.to_owned(), value)));
    for (i, input) in inputs.iter().enumerate() {
        let files: Vec<Value> =
            input.weight_files().map(|(name, tensors)| file(input, name, tensors.len())).collect();
        map.insert(format!("input {i}"), json!(files));
    }
    Value::Object(map)
}

/// The layout of a file that says of itself what torch's loaders ask for.
pub(crate) fn torch_layout() -> SafetensorsLayout {
    let mut layout = SafetensorsLayout::new();
    layout.metadata("format", "pt");
    layout
}

/// A file by its name, size and time of change.
fn file(input: &Checkpoint, name: &str, n_tensors: usize) -> Value {
    let metadata = input.folder().and_then(|folder| folder.join(name).metadata().ok());
    let changed = metadata.as_ref().and_then(|m| m.modified().ok()?.duration_since(UNIX_EPOCH).ok());
    json!([name, n_tensors, metadata.map(|m| m.len()), changed.map(|t| t.as_nanos().to_string())])
}

/// Copies a tensor of the file, scales and packed codes by themselves.
pub(crate) fn copy_tensor(checkpoint: &Checkpoint, name: &str, sink: &Sink<'_>) -> Result<(), CompressError> {
    let bytes = checkpoint.tensor(name)?.bytes()?;
    for (i, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
        let start = i * CHUNK_BYTES;
        sink.write(name, start as u64, chunk)?;
        checkpoint.release(name, start..start + chunk.len());
    }
    Ok(())
}

/// Writes the index, where there are several weight files.
pub(crate) fn write_index(folder: &Path, files: &[OutFile]) -> Result<(), CompressError> {
    if let [one] = files
        && one.name == WEIGHTS_FILE
    {
        return Ok(());
    }
    let mut map = BTreeMap::new();
    let mut n_bytes = 0;
    for file in files {
        for (name, range) in &file.placed.places {
            n_bytes += range.end - range.start;
            map.insert(name.clone(), file.name.clone());
        }
    }
    write_json(&folder.join(INDEX_FILE), &json!({ "metadata": { "total_size": n_bytes }, "weight_map": map }))
}

/// Copies all files beside the weights but those that are made anew, and weights in other formats.
pub(crate) fn copy_other_files(
    checkpoint: &Checkpoint,
    folder: &Path,
    made: &BTreeSet<&str>,
) -> Result<(), CompressError> {
    for name in checkpoint.other_files() {
        if made.contains(name.as_str()) || OTHER_WEIGHTS.iter().any(|ending| name.ends_with(ending)) {
            continue;
        }
        let to = folder.join(&name);
        match checkpoint.folder() {
            Some(from) => {
                fs::copy(from.join(&name), &to).map_err(CompressError::io("write", &to))?;
            }
            None => {
                let bytes = checkpoint.file(&name)?.unwrap_or_default();
                fs::write(&to, &bytes).map_err(CompressError::io("write", &to))?;
            }
        }
    }
    Ok(())
}

/// The files of a tokenizer.
const TOKENIZER: [&str; 8] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
];

/// Copies a checkpoint's tokenizer in place of the one that is there.
pub(crate) fn copy_tokenizer(checkpoint: &Checkpoint, folder: &Path) -> Result<(), CompressError> {
    for name in TOKENIZER {
        let to = folder.join(name);
        match checkpoint.file(name)? {
            Some(bytes) => fs::write(&to, &bytes).map_err(CompressError::io("write", &to))?,
            None if to.exists() => fs::remove_file(&to).map_err(CompressError::io("remove", &to))?,
            None => {}
        }
    }
    Ok(())
}

/// Reads the text of a YAML file, which `file` names in messages.
pub(crate) fn read_yaml<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, CompressError> {
    serde_saphyr::from_str(text).map_err(|error| {
        let detail = error.to_string();
        // The reader begins with a word that the command has said already.
        let detail = detail.strip_prefix("error: ").unwrap_or(&detail).to_owned();
        CompressError::Settings { file: file.to_owned(), detail }
    })
}

/// Writes a JSON file as people read it.
pub(crate) fn write_json(path: &Path, value: &Value) -> Result<(), CompressError> {
    let io = || CompressError::io("write", path);
    let mut file = fs::File::create(path).map_err(io())?;
    writeln!(file, "{value:#}").map_err(io())?;
    file.sync_all().map_err(io())
}
