//! A checkpoint with weights at random: the shape of a config.json, and a tokenizer.

use std::borrow::Cow;
use std::fs;
use std::path::Path;

use hala_engine::open_tokenizer;
use hala_model::WeightSpec;
use hala_tensor::{DType, Shape, Tensor};
use hala_text::Tokenizer;
use hala_weights::{Checkpoint, Config, SafetensorsWriter, WEIGHTS_FILE, WeightsError};
use serde_json::{Map, Value, json};

use crate::data::Normals;
use crate::error::TrainError;
use crate::run_fault::RunFault;

/// The files that a tokenizer is made of; the first must be there.
const TOKENIZER: [&str; 5] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "generation_config.json",
    "chat_template.jinja",
];

/// The standard deviation of new weights where config.json names none: transformers' own.
const RANGE: f64 = 0.02;

type Files = Vec<(String, Cow<'static, [u8]>)>;

/// Makes a checkpoint in memory of a config.json and a tokenizer's folder: matrices and taps are drawn from a normal distribution with `initializer_range`
/// as its standard deviation, norms are 1 and biases 0, as transformers begins. `vocab_size` and the ids of special tokens are the tokenizer's where the
/// config has none.
///
/// # Errors
/// Files that cannot be read, a config of a family that cannot be trained, or one that is not the tokenizer's.
pub fn from_scratch(config: &Path, tokenizer: &Path, seed: u64) -> Result<Checkpoint, TrainError> {
    let mut files = Files::new();
    for name in TOKENIZER {
        let path = tokenizer.join(name);
        if path.exists() {
            files.push((name.to_owned(), Cow::Owned(fs::read(&path).map_err(RunFault::io("read", &path))?)));
        }
    }
    let text = fs::read_to_string(config).map_err(RunFault::io("read", config))?;
    let map = Config::parse(&config.display().to_string(), &text)?.map().clone();
    let shell = with_weights(&files, &map, &SafetensorsWriter::new().to_bytes(|_| unreachable_tensor())?)?;
    let found = open_tokenizer(&shell)?;
    let found = found.ok_or_else(|| RunFault::NoTokenizer { origin: tokenizer.display().to_string() })?;
    let map = completed(map, &shell, &found)?;
    let shell = with_weights(&files, &map, &SafetensorsWriter::new().to_bytes(|_| unreachable_tensor())?)?;
    let specs = hala_model::weights_of(&shell)?;
    let range = shell.config()?.f64(&["initializer_range"])?.unwrap_or(RANGE);
    with_weights(&files, &map, &drawn(&specs, range, seed)?)
}

fn unreachable_tensor<'t>() -> Result<Cow<'t, Tensor>, WeightsError> {
    let reason = "no tensor was declared".to_owned();
    Err(WeightsError::Unwritable { name: String::new(), reason })
}

fn with_weights(
    files: &Files,
    config: &Map<String, Value>,
    weights: &[u8],
) -> Result<Checkpoint, TrainError> {
    let mut files = files.clone();
    files.push(("config.json".to_owned(), Cow::Owned(json!(config).to_string().into_bytes())));
    files.push((WEIGHTS_FILE.to_owned(), Cow::Owned(weights.to_vec())));
    Ok(Checkpoint::from_files(files)?)
}

/// The config with what the tokenizer knows of it.
fn completed(
    mut map: Map<String, Value>,
    shell: &Checkpoint,
    tokenizer: &Tokenizer,
) -> Result<Map<String, Value>, TrainError> {
    let special = shell.json_file("tokenizer_config.json")?;
    let id_of = |key: &str| {
        let value = special.as_ref()?.raw(key)?;
        tokenizer.id_of(value.as_str().or_else(|| value.get("content")?.as_str())?)
    };
    map.entry("vocab_size").or_insert_with(|| json!(tokenizer.n_vocab()));
    for key in ["bos_token", "eos_token", "pad_token"] {
        if let Some(id) = id_of(key) {
            map.entry(format!("{key}_id")).or_insert_with(|| json!(id));
        }
    }
    Ok(map)
}

/// All tensors, drawn in the order of their names.
fn drawn(specs: &[WeightSpec], range: f64, seed: u64) -> Result<Vec<u8>, TrainError> {
    let mut writer = SafetensorsWriter::new();
    let mut dims = std::collections::BTreeMap::new();
    for spec in specs.iter().filter(|spec| !spec.stored_dims().is_empty()) {
        let unwritable = |e: hala_tensor::ShapeError| WeightsError::Unwritable {
            name: spec.name.clone(),
            reason: e.to_string(),
        };
        let shape = Shape::new(spec.stored_dims()).map_err(unwritable)?;
        writer.declare(&spec.name, shape, DType::F32)?;
        dims.insert(spec.name.clone(), shape);
    }
    let mut normals = Normals::new(seed);
    let bytes = writer.to_bytes(|name| {
        let shape = dims[name];
        let n = shape.n_elements();
        let values = match shape.rank() {
            1 if name.ends_with(".bias") => vec![0.0; n],
            1 => vec![1.0; n],
            _ => (0..n).map(|_| (range * normals.draw()) as f32).collect(),
        };
        let tensor = Tensor::from_f32(shape, values);
        tensor
            .map(Cow::Owned)
            .map_err(|e| WeightsError::Unwritable { name: name.to_owned(), reason: e.to_string() })
    })?;
    Ok(bytes)
}
