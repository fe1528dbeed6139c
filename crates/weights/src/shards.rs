//! The safetensors files of a checkpoint: one, or the shards that an index names.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::bytes::FileBytes;
use crate::error::WeightsError;
use crate::header::SafetensorsHeader;
use crate::header::TensorInfo;
use crate::source::Source;

/// The weight file of a checkpoint that has one.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// The list of shards of a checkpoint that has several.
pub const INDEX_FILE: &str = "model.safetensors.index.json";

/// One safetensors file.
#[derive(Debug)]
pub(crate) struct Shard {
    /// The file in words, for messages.
    pub(crate) label: String,
    /// Its bytes.
    pub(crate) bytes: FileBytes,
    /// Its tensors, in the order of their places.
    pub(crate) tensors: Vec<TensorInfo>,
    /// Its `__metadata__`.
    pub(crate) metadata: BTreeMap<String, String>,
}

impl Shard {
    /// The file's name in its folder.
    pub(crate) fn name(&self) -> &str {
        self.label.rsplit(std::path::is_separator).next().unwrap_or(&self.label)
    }
}

/// Where a tensor is found: which shard, and which of its tensors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) shard_idx: usize,
    pub(crate) tensor_idx: usize,
}

/// The shards of a checkpoint and the place of each tensor.
#[derive(Debug, Default)]
pub(crate) struct Shards {
    pub(crate) files: Vec<Shard>,
    pub(crate) places: BTreeMap<String, Place>,
}

impl Shards {
    /// Opens model.safetensors, or else what model.safetensors.index.json names.
    pub(crate) fn open(source: &mut Source) -> Result<Self, WeightsError> {
        if source.has(WEIGHTS_FILE) {
            return Self::open_file(source, WEIGHTS_FILE);
        }
        match source.read_text(INDEX_FILE)?.map(Cow::into_owned) {
            Some(index) => Self::open_index(source, &index),
            None => Err(no_weights(source)),
        }
    }

    /// Opens one file alone.
    pub(crate) fn open_file(source: &mut Source, name: &str) -> Result<Self, WeightsError> {
        Ok(Self::of_one(open_shard(source, name)?))
    }

    /// The shards of a checkpoint that has one.
    pub(crate) fn of_one(shard: Shard) -> Self {
        let places = shard
            .tensors
            .iter()
            .enumerate()
            .map(|(tensor_idx, tensor)| (tensor.name.clone(), Place { shard_idx: 0, tensor_idx }));
        Self { places: places.collect(), files: vec![shard] }
    }

    fn open_index(source: &mut Source, text: &str) -> Result<Self, WeightsError> {
        let index = source.label(INDEX_FILE);
        let weight_map = parse_index(&index, text)?;
        Self::of_index(&index, &weight_map, |name| {
            let (index, shard) = (index.clone(), name.to_owned());
            if !is_plain(name) {
                return Err(WeightsError::ShardName { index, shard });
            }
            if !source.has(name) {
                return Err(WeightsError::MissingShard { index, shard });
            }
            open_shard(source, name)
        })
    }

    /// The shards that `weight_map` names, each opened by `open`; `index` is where it stands, for messages.
    pub(crate) fn of_index(
        index: &str,
        weight_map: &BTreeMap<String, String>,
        mut open: impl FnMut(&str) -> Result<Shard, WeightsError>,
    ) -> Result<Self, WeightsError> {
        let mut shard_of = BTreeMap::new();
        let mut files = Vec::new();
        let mut places = BTreeMap::new();
        for (tensor, name) in weight_map {
            let shard_idx = match shard_of.get(name) {
                Some(&i) => i,
                None => {
                    files.push(open(name)?);
                    shard_of.insert(name, files.len() - 1);
                    files.len() - 1
                }
            };
            let found = files[shard_idx].tensors.iter().position(|t| t.name == *tensor);
            let Some(tensor_idx) = found else {
                let (index, tensor, shard) = (index.to_owned(), tensor.clone(), name.clone());
                return Err(WeightsError::NotInShard { index, tensor, shard });
            };
            places.insert(tensor.clone(), Place { shard_idx, tensor_idx });
        }
        Ok(Self { files, places })
    }
}

fn open_shard(source: &mut Source, name: &str) -> Result<Shard, WeightsError> {
    let label = source.label(name);
    let bytes = source.take_weights(name)?;
    match SafetensorsHeader::parse(bytes.whole()) {
        Ok(SafetensorsHeader { tensors, metadata }) => Ok(Shard { label, bytes, tensors, metadata }),
        Err(fault) => Err(WeightsError::Damaged { file: label, fault }),
    }
}

/// The shard of each tensor, as the text of model.safetensors.index.json gives it.
pub(crate) fn parse_index(file: &str, text: &str) -> Result<BTreeMap<String, String>, WeightsError> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    match serde_json::from_str::<Index>(text) {
        Ok(index) => Ok(index.weight_map),
        Err(e) => Err(WeightsError::Json { file: file.to_owned(), detail: e.to_string() }),
    }
}

/// Whether a name stands for a file in the same folder, and no other.
pub(crate) fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0'])
}

fn no_weights(source: &Source) -> WeightsError {
    /// More names than this do not help a reader.
    const MAX_LISTED: usize = 12;
    let names = source.names();
    let ends = |ending: &str| names.iter().any(|name| name.to_ascii_lowercase().ends_with(ending));
    let advice = if ends(".safetensors") {
        "give the path of the .safetensors file itself"
    } else if ends(".gguf") {
        "give the path of the .gguf file itself"
    } else if ends(".bin") || ends(".pt") || ends(".pth") {
        "convert it to safetensors first, in transformers by `save_pretrained`"
    } else {
        "give the folder of a checkpoint in Hugging Face layout"
    };
    let mut found = names[..names.len().min(MAX_LISTED)].join(", ");
    match names.len() {
        0 => found.push_str("nothing"),
        n if n > MAX_LISTED => found.push_str(", …"),
        _ => {}
    }
    WeightsError::NoWeights { origin: source.origin(), found, advice }
}
