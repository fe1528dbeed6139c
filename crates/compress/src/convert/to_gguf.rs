//! A checkpoint as a GGUF file that llama.cpp loads.

use std::collections::BTreeMap;
use std::path::Path;

use hala_model::lfm2::{Lfm2, Lfm2Config, Mixer};
use hala_model::{ModelError, Options, Scaling};
use hala_weights::{Checkpoint, gguf_name};
use serde_json::json;

use super::format::FloatFormat;
use super::metadata::{Metadata, Tensor, file_type};
use super::rows::write_tensor;
use super::vocabulary;
use crate::error::CompressError;
use crate::folder::fingerprint;
use crate::job::{Job, OnProgress, OutFile, Pace, Sink, Task};

/// Writes an LFM2 checkpoint as the new GGUF file `out`, its matrices in `format`, on `n_threads` threads.
///
/// Interrupted runs are gone on with, as for [`compress`](crate::compress).
///
/// # Errors
/// `out` exists; the model is of another family, or says what GGUF files cannot; a value is not finite; files cannot be read or
/// written; `on_progress` said to stop.
pub fn to_gguf(
    checkpoint: &Checkpoint,
    out: &Path,
    format: FloatFormat,
    n_threads: usize,
    on_progress: &mut OnProgress<'_>,
) -> Result<usize, CompressError> {
    if let Some(found) = checkpoint.config()?.model_type()?.filter(|found| *found != Lfm2::FAMILY) {
        let (found, supported) = (format!("{found} as GGUF"), Lfm2::FAMILY.to_owned());
        return Err(ModelError::UnknownArchitecture { found, supported }.into());
    }
    let model = Lfm2::open(checkpoint, Options::default())?;
    let metadata = metadata(checkpoint, model.config(), format)?;
    let tensors = tensors(checkpoint, format)?;
    let placed = metadata.place(&tensors.values().cloned().collect::<Vec<_>>());
    let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let settings = [("format", json!(format.name()))];
    let files = [OutFile { name, placed }];
    let mut job = Job::begin(out, &fingerprint("to_gguf", &[checkpoint], settings), &files)?;
    let tasks: Vec<Task> = checkpoint.tensors().map(Task::of).collect();
    let work = |task: &Task, sink: &Sink<'_>| {
        let tensor = &tensors[&task.name];
        write_tensor(checkpoint, &task.name, (&tensor.name, tensor.format), sink)
    };
    let result = job.run(&tasks, &mut Pace::new(n_threads, on_progress), work).map(|()| tensors.len());
    job.end(result, Job::finish_as_file)
}

fn metadata(
    checkpoint: &Checkpoint,
    config: &Lfm2Config,
    format: FloatFormat,
) -> Result<Metadata, CompressError> {
    let unsupported =
        |detail: &str| CompressError::Settings { file: "config.json".to_owned(), detail: detail.to_owned() };
    if config.conv_bias {
        return Err(unsupported("conv_bias is true, which GGUF files of LFM2 do not have"));
    }
    if config.rope.scaling != Scaling::Default {
        return Err(unsupported(
            "its rotary frequencies are scaled, which is not supported in GGUF files yet",
        ));
    }
    let heads = |mixer: &Mixer| if *mixer == Mixer::Attention { config.heads.n_kv_heads as i32 } else { 0 };
    let mut metadata = Metadata::default();
    metadata.text("general.architecture", Lfm2::FAMILY);
    metadata.u32("general.file_type", file_type(format));
    metadata.u32("general.quantization_version", 2);
    let mut count = |key: &str, n: usize| metadata.u32(&format!("lfm2.{key}"), n as u32);
    count("block_count", config.layers.len());
    count("context_length", config.max_context);
    count("embedding_length", config.width);
    count("feed_forward_length", config.ff_width);
    count("attention.head_count", config.heads.n_heads);
    count("attention.key_length", config.heads.head_size);
    count("attention.value_length", config.heads.head_size);
    count("rope.dimension_count", config.heads.head_size);
    count("shortconv.l_cache", config.n_taps);
    count("vocab_size", config.n_vocab);
    metadata.i32s("lfm2.attention.head_count_kv", &config.layers.iter().map(heads).collect::<Vec<_>>());
    metadata.f32("lfm2.attention.layer_norm_rms_epsilon", config.eps);
    metadata.f32("lfm2.rope.freq_base", config.rope.theta as f32);
    vocabulary::add(&mut metadata, checkpoint, config.n_vocab)?;
    Ok(metadata)
}

/// Each tensor by the checkpoint's name for it.
fn tensors(checkpoint: &Checkpoint, format: FloatFormat) -> Result<BTreeMap<String, Tensor>, CompressError> {
    let mut tensors = BTreeMap::new();
    for tensor in checkpoint.tensors() {
        let name = gguf_name(&tensor.name).ok_or_else(|| CompressError::Settings {
            file: checkpoint.origin(),
            detail: format!("GGUF files of LFM2 have no name for the tensor {}", tensor.name),
        })?;
        let (dims, format) = match tensor.dims.as_slice() {
            // Depthwise taps: the channel's single input is left out.
            &[n_channels, 1, n_taps] => (vec![n_channels, n_taps], FloatFormat::F32),
            &[_, n_columns] if n_columns % format.file_dtype().block().0 != 0 => {
                (tensor.dims.clone(), FloatFormat::F16)
            }
            &[_, _] => (tensor.dims.clone(), format),
            dims => (dims.to_vec(), FloatFormat::F32),
        };
        tensors.insert(tensor.name.clone(), Tensor { name, dims, format });
    }
    Ok(tensors)
}
