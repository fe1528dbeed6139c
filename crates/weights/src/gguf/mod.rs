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
use std::ops::Range;
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
    let opening = Opening::of(label, bytes.whole(), bytes.whole().len())?;
    let factors = opening.factors().and_then(|range| bytes.get(&range)).map(<[u8]>::to_vec);
    opening.finish(factors.as_deref(), bytes)
}

/// A GGUF file whose header is read, and not yet the one tensor that is a part of config.json.
pub(crate) struct Opening {
    label: String,
    header: Header,
    factors: Option<header::Tensor>,
}

impl Opening {
    /// Reads the header of a file of `n_bytes`, of which `start` is the start, or all.
    pub(crate) fn of(label: String, start: &[u8], n_bytes: usize) -> Result<Self, WeightsError> {
        match Header::parse(start, n_bytes) {
            Ok(mut header) => {
                let factors = rope_factors(&mut header);
                Ok(Self { label, header, factors })
            }
            Err(fault) => Err(WeightsError::DamagedGguf { file: label, fault }),
        }
    }

    /// Where the factors of rotary frequencies are, if there are any.
    pub(crate) fn factors(&self) -> Option<Range<usize>> {
        self.factors.as_ref().map(|tensor| tensor.range.clone())
    }

    /// The file as a checkpoint, with the bytes of its factors.
    pub(crate) fn finish(
        self,
        factors: Option<&[u8]>,
        bytes: FileBytes,
    ) -> Result<(Source, Shards), WeightsError> {
        let Self { label, header, factors: tensor } = self;
        let damaged = |fault: GgufFault| WeightsError::DamagedGguf { file: label.clone(), fault };
        let no_floats = || damaged(wrong(rope::FACTORS, "it holds no floats"));
        let factors = match (&tensor, factors) {
            (Some(tensor), Some(bytes)) => Some(tensor.floats(bytes).ok_or_else(no_floats)?),
            _ => None,
        };
        let no_architecture =
            || wrong("general.architecture", "it is not there, so the file holds no language model");
        let settings = Settings::of(&header).ok_or_else(no_architecture).map_err(damaged)?;
        let files = side_files(&label, &header, &settings, factors.as_deref())?;
        let architecture = settings.architecture.to_owned();
        let (bytes, tensors) = checkpoint_tensors(&architecture, header.tensors, bytes).map_err(damaged)?;
        let shard = Shard { label: label.clone(), bytes, tensors, metadata: BTreeMap::new() };
        Ok((Source::Gguf { label, files }, Shards::of_one(shard)))
    }
}

/// config.json and the tokenizer's files, by name.
fn side_files(
    label: &str,
    header: &Header,
    settings: &Settings<'_>,
    factors: Option<&[f32]>,
) -> Result<BTreeMap<String, Cow<'static, [u8]>>, WeightsError> {
    let mut files = BTreeMap::new();
    let mut add = |name: String, text: String| files.insert(name, Cow::Owned(text.into_bytes()));
    let damaged = |fault: GgufFault| WeightsError::DamagedGguf { file: label.to_owned(), fault };
    let config = settings.config(factors).map_err(damaged)?;
    add("config.json".to_owned(), Json::Object(config).to_string());
    let unsupported = |reason: String| WeightsError::GgufTokenizer { file: label.to_owned(), reason };
    for (name, text) in tokenizer::files(header).map_err(unsupported)? {
        add(name, text);
    }
    if let Some(config) = generation::config(header) {
        add("generation_config.json".to_owned(), config.to_string());
    }
    Ok(files)
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
        if architecture == "gemma2" && norms::is_norm(&tensor) {
            let own = bytes.get(&tensor.range);
            if let Some(values) = norms::beyond_1(&mut tensor, own)? {
                computed.insert(tensor.range.start, values);
            }
        }
        let header::Tensor { name, dtype, dims, range } = tensor;
        found.push(TensorInfo { name, dtype, dims, range });
    }
    Ok((bytes.with_parts(computed), found))
}

/// Takes the factors of rotary frequencies out of the tensors, where they are there.
fn rope_factors(header: &mut Header) -> Option<header::Tensor> {
    let is_known = matches!(header.metadata.get("general.architecture"), Some(Value::Text(name)) if names::is_read(name));
    let at = header.tensors.iter().position(|tensor| is_known && tensor.name == rope::FACTORS)?;
    Some(header.tensors.remove(at))
}
