//! Merging checkpoints as mergekit does, tensor by tensor in bounded memory.

mod combine;
mod config;
mod layers;
mod method;
mod parameters;
mod parts;
mod plan;
mod setting;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use hala_tensor::DType;
use hala_weights::{Checkpoint, SafetensorsLayout, WEIGHTS_FILE};
use serde_json::{Map, Value, json};

pub use config::MergeConfig;

use crate::error::CompressError;
use crate::float::{file_dtype, torch_name};
use crate::folder::{copy_other_files, copy_tokenizer, fingerprint, torch_layout, write_index, write_json};
use crate::job::{Job, OnProgress, OutFile, Pace, Sink, Task};
use combine::{Types, combine};
use parts::{Parts, Slice, SourcePart};
use plan::{Models, Output, layer_of, model, n_layers, outputs};

/// Bytes of one weight file at most, as mergekit and transformers have it.
const MAX_FILE_BYTES: u64 = 5_000_000_000;

/// What a merge made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Merged {
    /// Tensors.
    pub n_tensors: usize,
    /// Elements of all tensors.
    pub n_parameters: usize,
    /// Layers.
    pub n_layers: usize,
}

/// Merges the models of `config`, given in the order of [`MergeConfig::models`], into the new folder `out`, on `n_threads` threads.
///
/// Interrupted runs are gone on with, as for [`compress`](crate::compress).
///
/// # Errors
/// `out` exists; the models do not fit the configuration or each other; a value is not finite; files cannot be read or written;
/// `on_progress` said to stop. Faults of the models leave nothing behind.
pub fn merge(
    config: &MergeConfig,
    checkpoints: Vec<Checkpoint>,
    out: &Path,
    n_threads: usize,
    on_progress: &mut OnProgress<'_>,
) -> Result<Merged, CompressError> {
    let models: Models = config.models().into_iter().map(str::to_owned).zip(checkpoints).collect();
    let outputs = outputs(config, &models)?;
    let leading = model(&models, leading_name(config))?;
    let plan = Merge { config, models: &models, leading, outputs };
    let files = plan.files()?;
    let inputs: Vec<&Checkpoint> = models.values().collect();
    let mut job = Job::begin(out, &fingerprint("merge", &inputs, [("config", json!(config.text))]), &files)?;
    let result = plan.fill(&mut job, &files, &mut Pace::new(n_threads, on_progress));
    job.end(result, Job::finish)
}

/// The model whose config.json and other files the result gets: the base, or else the first.
fn leading_name(config: &MergeConfig) -> &str {
    config.models().first().copied().unwrap_or_default()
}

struct Merge<'a> {
    config: &'a MergeConfig,
    models: &'a Models,
    leading: &'a Checkpoint,
    outputs: Vec<Output>,
}

impl Merge<'_> {
    /// The types of a tensor: as asked for, or as the first of those that it is made of has it.
    fn types(&self, output: &Output) -> Result<Types, CompressError> {
        let first = &output.parts[0];
        let stored = match model(self.models, &first.model)?.stored_dtype(&first.name)? {
            dtype @ (DType::F32 | DType::F16 | DType::BF16) => dtype,
            DType::U32 | DType::E4M3 | DType::Int8 { .. } | DType::Int4 { .. } => {
                let origin = first.model.clone();
                return Err(CompressError::AlreadyQuantised { origin, found: first.name.clone() });
            }
        };
        let dtype = self.config.dtype.unwrap_or(stored);
        Ok(Types { dtype, out: self.config.out_dtype.unwrap_or(dtype) })
    }

    fn dims(&self, output: &Output) -> Result<Vec<usize>, CompressError> {
        let first = &output.parts[0];
        Ok(model(self.models, &first.model)?.tensor(&first.name)?.shape().dims().to_vec())
    }

    fn files(&self) -> Result<Vec<OutFile>, CompressError> {
        let mut layouts: Vec<(SafetensorsLayout, u64)> = Vec::new();
        for output in &self.outputs {
            let (dtype, dims) = (file_dtype(self.types(output)?.out), self.dims(output)?);
            let n_bytes = dims.iter().product::<usize>() as u64 * dtype.n_bits() / 8;
            if layouts.last().is_none_or(|(_, n)| n + n_bytes > MAX_FILE_BYTES) {
                layouts.push((torch_layout(), 0));
            }
            if let Some((layout, n)) = layouts.last_mut() {
                layout.declare(&output.name, dtype, &dims)?;
                *n += n_bytes;
            }
        }
        let n_files = layouts.len();
        let name = |i: usize| match n_files {
            1 => WEIGHTS_FILE.to_owned(),
            _ => format!("model-{:05}-of-{n_files:05}.safetensors", i + 1),
        };
        Ok(layouts
            .into_iter()
            .enumerate()
            .map(|(i, (layout, _))| OutFile { name: name(i), placed: layout.place() })
            .collect())
    }

    fn fill(
        &self,
        job: &mut Job,
        files: &[OutFile],
        pace: &mut Pace<'_, '_>,
    ) -> Result<Merged, CompressError> {
        let mut tasks = Vec::new();
        let mut n_parameters = 0;
        for output in &self.outputs {
            let n_elements: usize = self.dims(output)?.iter().product();
            n_parameters += n_elements;
            tasks.push(Task { name: output.name.clone(), n_bytes: (n_elements * output.parts.len()) as u64 });
        }
        let by_name: BTreeMap<_, _> = self.outputs.iter().map(|o| (o.name.as_str(), o)).collect();
        let work = |task: &Task, sink: &Sink<'_>| {
            let output = by_name[task.name.as_str()];
            combine(self.models, self.config.method, output, self.types(output)?, sink)
        };
        job.run(&tasks, pace, work)?;
        let folder = job.folder();
        write_index(folder, files)?;
        let n_layers =
            self.outputs.iter().filter_map(|o| layer_of(&o.name)).map(|(layer, _)| layer + 1).max();
        let n_layers = n_layers.unwrap_or(0);
        write_json(&folder.join("config.json"), &Value::Object(self.merged_config(n_layers)?))?;
        copy_other_files(self.leading, folder, &BTreeSet::from(["config.json"]))?;
        if let Some(tokenizer) = &self.config.tokenizer {
            copy_tokenizer(model(self.models, tokenizer)?, folder)?;
        }
        let path = folder.join("mergekit_config.yml");
        fs::write(&path, &self.config.text).map_err(CompressError::io("write", &path))?;
        Ok(Merged { n_tensors: self.outputs.len(), n_parameters, n_layers })
    }

    /// config.json of the leading model, with the result's layers and element type.
    fn merged_config(&self, n_layers: usize) -> Result<Map<String, Value>, CompressError> {
        let mut map = self.leading.config()?.map().clone();
        if let Some(dtype) = self.config.out_dtype.or(self.config.dtype) {
            let key = if map.contains_key("dtype") { "dtype" } else { "torch_dtype" };
            map.insert(key.to_owned(), json!(torch_name(dtype)));
        }
        if let Parts::Slices(slices) = &self.config.parts {
            map.insert("num_hidden_layers".to_owned(), json!(n_layers));
            if let Some(kinds) = self.kinds(slices)? {
                layers::write(&mut map, &kinds);
            }
        }
        Ok(map)
    }

    /// The kind of each layer of the result, which comes with it; `None` where a source knows no kinds.
    fn kinds(&self, slices: &[Slice]) -> Result<Option<Vec<String>>, CompressError> {
        let mut of_result = Vec::new();
        for slice in slices {
            let SourcePart { model: name, layer_range: [start, end], .. } = &slice.sources[0];
            let source = model(self.models, name)?;
            let kinds = layers::kinds(source.config()?, n_layers(source))?;
            match kinds.as_ref().and_then(|kinds| kinds.get(*start..*end)) {
                Some(kinds) => of_result.extend_from_slice(kinds),
                None => return Ok(None),
            }
        }
        Ok(Some(of_result))
    }
}
