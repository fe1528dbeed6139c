//! A checkpoint as a Hugging Face folder: config.json, weights, the tokenizer's files and what generation needs.

use std::borrow::Cow;
use std::path::Path;

use hala_tensor::{DType, Shape, TensorBuilder};
use hala_weights::{Checkpoint, SafetensorsWriter, WEIGHTS_FILE, WeightsError};
use serde_json::{Map, Value, json};

use crate::config::SavedAs;
use crate::run_fault::RunFault;
use crate::store::whole_folder::WholeFolder;

/// Files that go along as they are.
const COPIED: [&str; 9] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "LICENSE",
];

/// What lies beside the weights of each of a run's checkpoints.
#[derive(Debug, Clone, PartialEq)]
pub struct Beside {
    files: Vec<(String, Vec<u8>)>,
    save_as: SavedAs,
}

/// A parameter with its values.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The checkpoint's name for it.
    pub name: &'a str,
    /// Its dimensions in a checkpoint.
    pub dims: &'a [usize],
    /// Its values.
    pub values: &'a [f32],
}

impl Beside {
    /// Reads what the base has; what it lacks is made.
    ///
    /// # Errors
    /// Files that cannot be read.
    pub fn read(base: &Checkpoint, save_as: SavedAs) -> Result<Self, RunFault> {
        let mut config = base.config()?.map().clone();
        config.remove("torch_dtype");
        config.remove("quantization_config");
        config.insert("dtype".to_owned(), json!(save_as.torch_name()));
        let generation = match base.json_file("generation_config.json")? {
            Some(generation) => generation.map().clone(),
            None => generation(&config),
        };
        let mut files = vec![
            ("config.json".to_owned(), text(&Value::Object(config))),
            ("generation_config.json".to_owned(), text(&Value::Object(generation))),
        ];
        for name in COPIED {
            if let Some(bytes) = base.file(name)? {
                files.push((name.to_owned(), bytes.into_owned()));
            }
        }
        Ok(Self { files, save_as })
    }

    /// The files with their names.
    #[must_use]
    pub fn files(&self) -> &[(String, Vec<u8>)] {
        &self.files
    }

    /// The weights as the bytes of a safetensors file.
    ///
    /// # Errors
    /// Values that are not finite.
    pub fn weights(&self, parameters: &[Named<'_>]) -> Result<Vec<u8>, RunFault> {
        let dtype = self.save_as.dtype();
        Ok(writer(parameters, dtype)?.to_bytes(|name| produce(parameters, name, dtype))?)
    }
}

/// The ids of config.json that transformers would put into a generation_config.json of its own.
fn generation(config: &Map<String, Value>) -> Map<String, Value> {
    ["bos_token_id", "eos_token_id", "pad_token_id"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), config.get(key)?.clone())))
        .collect()
}

fn text(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// Writes a checkpoint as the folder `path`, which gets its name when all of it is on the disk, in place of one that has it.
///
/// # Errors
/// The folder cannot be written, or values are not finite.
pub fn write_folder(path: &Path, beside: &Beside, parameters: &[Named<'_>]) -> Result<(), RunFault> {
    let folder = WholeFolder::create(path)?;
    for (name, bytes) in &beside.files {
        folder.write(name, bytes)?;
    }
    let dtype = beside.save_as.dtype();
    let file = folder.filling().join(WEIGHTS_FILE);
    writer(parameters, dtype)?.write(&file, |name| produce(parameters, name, dtype))?;
    folder.finish()
}

fn writer(parameters: &[Named<'_>], dtype: DType) -> Result<SafetensorsWriter, WeightsError> {
    let mut writer = SafetensorsWriter::new();
    writer.metadata("format", "pt");
    for Named { name, dims, .. } in parameters {
        writer.declare(name, shape(name, dims)?, dtype)?;
    }
    Ok(writer)
}

fn produce<'t>(
    parameters: &[Named<'_>],
    name: &str,
    dtype: DType,
) -> Result<Cow<'t, hala_tensor::Tensor>, WeightsError> {
    let unwritable = |reason: String| WeightsError::Unwritable { name: name.to_owned(), reason };
    let found = parameters.iter().find(|parameter| parameter.name == name);
    let Named { dims, values, .. } = found.ok_or_else(|| unwritable("it was not declared".to_owned()))?;
    let shape = shape(name, dims)?;
    let failed = |e: hala_tensor::TensorError| unwritable(e.to_string());
    let mut tensor = TensorBuilder::new(shape, dtype).map_err(failed)?;
    for row in values.chunks(shape.n_columns().max(1)) {
        tensor.push_row(row).map_err(failed)?;
    }
    Ok(Cow::Owned(tensor.finish().map_err(failed)?))
}

fn shape(name: &str, dims: &[usize]) -> Result<Shape, WeightsError> {
    Shape::new(dims).map_err(|e| WeightsError::Unwritable { name: name.to_owned(), reason: e.to_string() })
}
