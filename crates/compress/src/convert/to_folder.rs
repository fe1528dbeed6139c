//! A GGUF file, or any other checkpoint, as a folder in Hugging Face layout whose tensors are floats.

use std::path::Path;

use hala_weights::{Checkpoint, WEIGHTS_FILE};
use serde_json::{Value, json};

use super::format::FloatFormat;
use super::rows::write_tensor;
use crate::error::CompressError;
use crate::float::{file_dtype, torch_name};
use crate::folder::{copy_other_files, fingerprint, torch_layout, write_json};
use crate::job::{Job, OnProgress, OutFile, Pace, Sink, Task};

/// Writes a checkpoint as the new folder `out`, all of its tensors in `format`, which are no blocks, on `n_threads` threads.
///
/// # Errors
/// `out` exists; `format` is blocks; a value is not finite in it; files cannot be read or written; `on_progress` said to stop.
pub fn to_folder(
    checkpoint: &Checkpoint,
    out: &Path,
    format: FloatFormat,
    n_threads: usize,
    on_progress: &mut OnProgress<'_>,
) -> Result<usize, CompressError> {
    let Some(dtype) = format.dtype() else {
        return Err(CompressError::Settings {
            file: out.display().to_string(),
            detail: "q8_0 is for .gguf files; `hala compress` makes int8 checkpoints in folders".to_owned(),
        });
    };
    let mut layout = torch_layout();
    for tensor in checkpoint.tensors() {
        layout.declare(&tensor.name, file_dtype(dtype), &tensor.dims)?;
    }
    let files = [OutFile { name: WEIGHTS_FILE.to_owned(), placed: layout.place() }];
    let settings = [("format", json!(format.name()))];
    let mut job = Job::begin(out, &fingerprint("to_folder", &[checkpoint], settings), &files)?;
    let result = fill(checkpoint, &mut job, format, &mut Pace::new(n_threads, on_progress));
    job.end(result, Job::finish)
}

fn fill(
    checkpoint: &Checkpoint,
    job: &mut Job,
    format: FloatFormat,
    pace: &mut Pace<'_, '_>,
) -> Result<usize, CompressError> {
    let tasks: Vec<Task> = checkpoint.tensors().map(Task::of).collect();
    let work =
        |task: &Task, sink: &Sink<'_>| write_tensor(checkpoint, &task.name, (&task.name, format), sink);
    job.run(&tasks, pace, work)?;
    let mut map = checkpoint.config()?.map().clone();
    map.remove("quantization_config");
    map.remove("torch_dtype");
    map.insert("dtype".to_owned(), json!(format.dtype().map(torch_name)));
    write_json(&job.folder().join("config.json"), &Value::Object(map))?;
    copy_other_files(checkpoint, job.folder(), &["config.json"].into())?;
    Ok(tasks.len())
}
