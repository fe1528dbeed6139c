//! GGUF files: opened as checkpoints, with the names and settings of the published ones.

mod config;
mod generation;
mod header;
mod known;
mod names;
mod norms;
mod rope;
mod settings;
mod tokenizer;

pub(crate) mod blocks;
pub(crate) mod fault;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value as Json;

pub use fault::GgufFault;
pub use names::gguf_name;
pub use tokenizer::byte_level::LFM2_SPLIT;

use crate::bytes::FileBytes;
use crate::error::WeightsError;
use crate::header::TensorInfo;
use crate::shards::{Shard, Shards};
use crate::source::Source;
use fault::wrong;
use header::{Header, MAGIC, Value};
use settings::Settings;

/// Whether a file is a GGUF file by its first bytes, whatever its name; one that cannot be read is none.
pub(crate) fn is_gguf(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == MAGIC
}

/// Opens a GGUF file: its weights where they are, config.json and the tokenizer's files made of its metadata.
pub(crate) fn open(path: &Path) -> Result<(Source, Shards), WeightsError> {
    let label = path.display().to_string();
    let bytes = FileBytes::map(path).map_err(|source| crate::source::read_error(path, source))?;
    let damaged = |fault: GgufFault| WeightsError::DamagedGguf { file: label.clone(), fault };
    let mut header = Header::parse(bytes.whole()).map_err(damaged)?;
    let factors = rope_factors(&mut header, bytes.whole()).map_err(damaged)?;
    let no_architecture =
        || wrong("general.architecture", "it is not there, so the file holds no language model");
    let settings = Settings::of(&header).ok_or_else(no_architecture).map_err(damaged)?;
    let mut files = BTreeMap::new();
    let mut add = |name: String, text: String| files.insert(name, Cow::Owned(text.into_bytes()));
    let config = settings.config(factors.as_deref()).map_err(damaged)?;
    add("config.json".to_owned(), Json::Object(config).to_string());
    let unsupported = |reason: String| WeightsError::GgufTokenizer { file: label.clone(), reason };
    for (name, text) in tokenizer::files(&header).map_err(unsupported)? {
        add(name, text);
    }
    if let Some(config) = generation::config(&header) {
        add("generation_config.json".to_owned(), config.to_string());
    }
    let architecture = settings.architecture.to_owned();
    let (bytes, tensors) = checkpoint_tensors(&architecture, header.tensors, bytes).map_err(damaged)?;
    let shard = Shard { label: label.clone(), bytes, tensors, metadata: BTreeMap::new() };
    Ok((Source::Gguf { label, files }, Shards::of_one(shard)))
}

/// Tensors as a checkpoint has them, by other names and some with other values.
fn checkpoint_tensors(
    architecture: &str,
    tensors: Vec<header::Tensor>,
    bytes: FileBytes,
) -> Result<(FileBytes, Vec<TensorInfo>), GgufFault> {
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    let mut found = Vec::with_capacity(tensors.len());
    let mut computed = BTreeMap::new();
    for tensor in tensors {
        let theirs = tensor.name.clone();
        let mut tensor = names::renamed(architecture, tensor);
        if let Some(other) = places.insert(tensor.name.clone(), theirs.clone()) {
            return Err(wrong(
                &theirs,
                &format!("the tensor `{other}` is there too, and both are one weight"),
            ));
        }
        if architecture == "gemma2"
            && let Some(values) = norms::beyond_1(&mut tensor, bytes.whole())?
        {
            computed.insert(tensor.range.start, values);
        }
        let header::Tensor { name, dtype, dims, range } = tensor;
        found.push(TensorInfo { name, dtype, dims, range });
    }
    Ok((bytes.with_parts(computed), found))
}

/// Takes the factors of rotary frequencies out of the tensors, where they are there.
fn rope_factors(header: &mut Header, file: &[u8]) -> Result<Option<Vec<f32>>, GgufFault> {
    let is_known = matches!(header.metadata.get("general.architecture"), Some(Value::Text(name)) if names::is_read(name));
    let Some(at) = header.tensors.iter().position(|tensor| is_known && tensor.name == rope::FACTORS) else {
        return Ok(None);
    };
    let tensor = header.tensors.remove(at);
    let factors = tensor.floats(file).ok_or_else(|| wrong(rope::FACTORS, "it holds no floats"))?;
    Ok(Some(factors))
}
