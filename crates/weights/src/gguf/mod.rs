//! GGUF files: opened as checkpoints, with the names and settings of the published ones.

mod header;
mod names;
mod tokenizer;

pub(crate) mod blocks;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;

pub use header::GgufFault;
pub use names::gguf_name;
pub use tokenizer::LFM2_SPLIT;

use crate::bytes::FileBytes;
use crate::shards::{Shard, Shards};
use crate::source::Source;
use crate::{TensorInfo, WeightsError};
use header::Header;
use names::{Settings, renamed};

/// Opens a GGUF file: its weights where they are, config.json and the tokenizer's files made of its metadata.
pub(crate) fn open(path: &Path) -> Result<(Source, Shards), WeightsError> {
    let label = path.display().to_string();
    let bytes = FileBytes::map(path).map_err(|source| crate::source::read_error(path, source))?;
    let damaged = |fault: GgufFault| WeightsError::DamagedGguf { file: label.clone(), fault };
    let header = Header::parse(bytes.whole()).map_err(damaged)?;
    let no_architecture = || GgufFault::Wrong {
        what: "`general.architecture`".to_owned(),
        detail: "it is not there, so the file holds no language model".to_owned(),
    };
    let settings = Settings::of(&header).ok_or_else(no_architecture).map_err(damaged)?;
    let mut files = BTreeMap::new();
    let mut add = |name: String, text: String| files.insert(name, Cow::Owned(text.into_bytes()));
    add("config.json".to_owned(), Json::Object(settings.config()).to_string());
    let unsupported = |reason: String| WeightsError::GgufTokenizer { file: label.clone(), reason };
    for (name, text) in tokenizer::files(&header).map_err(unsupported)? {
        add(name, text);
    }
    let architecture = settings.architecture.to_owned();
    let info = |tensor| {
        let header::Tensor { name, dtype, dims, range } = renamed(&architecture, tensor);
        TensorInfo { name, dtype, dims, range }
    };
    let tensors = header.tensors.into_iter().map(info).collect();
    let shard = Shard { label: label.clone(), bytes, tensors, metadata: BTreeMap::new() };
    Ok((Source::Gguf { label, files }, Shards::of_one(shard)))
}
