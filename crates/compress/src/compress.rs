//! Compressing a checkpoint: its matrices in the schemes of a recipe, all else as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hala_weights::{Checkpoint, SafetensorsLayout};
use serde_json::{Map, Value, json};

use crate::CompressError;
use crate::codes::{encode_row, magnitudes, scale};
use crate::float::{Float, with_float};
use crate::folder::{copy_other_files, copy_tensor, fingerprint, write_index, write_json};
use crate::job::{Job, OnProgress, OutFile, Pace, Sink, Task};
use crate::recipe::{Module, Recipe, modules};
use crate::report::{Report, verify};
use crate::scheme::{Code, Scheme, input_scale};

/// Elements that are encoded at once: their floats stay in a second-level cache.
const CHUNK_ELEMENTS: usize = 1 << 16;

/// Compresses `checkpoint` into the new folder `out`, tensor by tensor on `n_threads` threads, and reads it back.
///
/// Memory holds a few rows for each thread. An interrupted run is gone on with by the next of the same arguments; its work is in
/// `OUT.partial` until then. Equal arguments give equal files, however often they were interrupted.
///
/// # Errors
/// `out` exists, the recipe does not fit the checkpoint, a value is not finite, files cannot be read or written, or `on_progress` said
/// to stop. Faults of the checkpoint leave nothing behind.
pub fn compress(
    checkpoint: &Checkpoint,
    out: &Path,
    recipe: &Recipe,
    n_threads: usize,
    on_progress: &mut OnProgress<'_>,
) -> Result<Report, CompressError> {
    if let Some(found) = checkpoint.config().ok().and_then(|config| config.raw("quantization_config")) {
        let found = found.get("quant_method").unwrap_or(found).to_string();
        return Err(CompressError::AlreadyQuantised { origin: checkpoint.origin(), found });
    }
    let config = compressed_config(checkpoint, recipe)?;
    let work = Work::new(checkpoint, recipe)?;
    let files = work.files()?;
    let mut settings = Map::new();
    settings.insert("recipe".to_owned(), config["quantization_config"].clone());
    settings.insert("calibration".to_owned(), json!(recipe.ranges()));
    let mut job = Job::begin(out, &fingerprint("compress", &[checkpoint], settings), &files)?;
    let result = work.fill(&mut job, &files, &config, &mut Pace { n_threads, on_progress });
    job.end(result, Job::finish)
}

/// config.json with what was done to the matrices.
fn compressed_config(checkpoint: &Checkpoint, recipe: &Recipe) -> Result<Map<String, Value>, CompressError> {
    let config = checkpoint.config()?;
    let value = |key: &str| (key.to_owned(), config.raw(key).cloned().unwrap_or(Value::Null));
    let mut map: Map<String, Value> = config.keys().map(value).collect();
    let mut formats: Vec<_> = recipe.groups().iter().map(|group| group.scheme.format()).collect();
    formats.dedup();
    let is_mixed = formats.len() > 1;
    let groups: Map<String, Value> = recipe
        .groups()
        .iter()
        .enumerate()
        .map(|(i, group)| {
            let mut entry = group.scheme.config_group(&group.targets());
            if is_mixed {
                entry["format"] = json!(group.scheme.format());
            }
            (format!("group_{i}"), entry)
        })
        .collect();
    let quantisation = json!({
        "quant_method": "compressed-tensors",
        "format": if is_mixed { "mixed-precision" } else { formats[0] },
        "quantization_status": "compressed",
        "global_compression_ratio": null,
        "kv_cache_scheme": null,
        "ignore": recipe.ignored(),
        "config_groups": groups,
    });
    map.insert("quantization_config".to_owned(), quantisation);
    Ok(map)
}

/// What becomes of each tensor.
struct Work<'a> {
    checkpoint: &'a Checkpoint,
    recipe: &'a Recipe,
    modules: BTreeMap<String, Module>,
}

impl<'a> Work<'a> {
    fn new(checkpoint: &'a Checkpoint, recipe: &'a Recipe) -> Result<Self, CompressError> {
        let modules = modules(checkpoint, recipe)?;
        let modules = modules.into_iter().map(|module| (module.weight.clone(), module)).collect();
        Ok(Self { checkpoint, recipe, modules })
    }

    fn scheme(&self, module: &Module) -> Scheme {
        self.recipe.groups()[module.group].scheme
    }

    /// The files to write: as many as the checkpoint has, with the same names and the same tensors in each.
    fn files(&self) -> Result<Vec<OutFile>, CompressError> {
        let mut files = Vec::new();
        for (name, tensors) in self.checkpoint.weight_files() {
            let mut layout = SafetensorsLayout::new();
            layout.metadata("format", "pt");
            for tensor in tensors {
                match self.modules.get(&tensor.name) {
                    None => layout.declare(&tensor.name, tensor.dtype, &tensor.dims)?,
                    Some(module) => {
                        let dtype = self.checkpoint.stored_dtype(&tensor.name)?;
                        for (name, dtype, dims) in
                            self.scheme(module).tensors(&tensor.name, module.shape, dtype)
                        {
                            layout.declare(&name, dtype, &dims)?;
                        }
                    }
                }
            }
            // A GGUF file becomes a safetensors file.
            let name = if name.ends_with(".safetensors") { name } else { "model.safetensors" };
            files.push(OutFile { name: name.to_owned(), placed: layout.place() });
        }
        Ok(files)
    }

    fn fill(
        &self,
        job: &mut Job,
        files: &[OutFile],
        config: &Map<String, Value>,
        pace: &mut Pace<'_, '_>,
    ) -> Result<Report, CompressError> {
        let tensors = self.checkpoint.weight_files().flat_map(|(_, tensors)| tensors);
        let tasks: Vec<Task> =
            tensors.map(|t| Task { name: t.name.clone(), n_bytes: t.n_bytes() as u64 }).collect();
        let work = |task: &Task, sink: &Sink<'_>| match self.modules.get(&task.name) {
            None => copy_tensor(self.checkpoint, &task.name, sink),
            Some(module) => self.quantise(module, sink),
        };
        job.run(&tasks, pace, work)?;
        write_index(job.folder(), files)?;
        write_json(&job.folder().join("config.json"), &Value::Object(config.clone()))?;
        copy_other_files(self.checkpoint, job.folder(), &BTreeSet::from(["config.json"]))?;
        let modules: Vec<_> =
            self.modules.values().map(|module| (module.weight.as_str(), self.scheme(module))).collect();
        verify(self.checkpoint, job.folder(), &modules, pace)
    }

    fn quantise(&self, module: &Module, sink: &Sink<'_>) -> Result<(), CompressError> {
        let dtype = self.checkpoint.stored_dtype(&module.weight)?;
        let scheme = self.scheme(module);
        with_float!(dtype, F => {
            if let Some(range) = self.recipe.ranges().get(&module.weight).filter(|_| scheme.is_static()) {
                let mut bytes = Vec::new();
                F::write(scale::<F>(F::round(*range), scheme.code()), &mut bytes);
                sink.write(&input_scale(&module.weight), 0, &bytes)?;
            }
            quantise::<F>(self.checkpoint, module, scheme, sink)
        })
    }
}

/// Reads some rows at a time, and writes their codes; the scales of all of them at the end.
fn quantise<F: Float>(
    checkpoint: &Checkpoint,
    module: &Module,
    scheme: Scheme,
    sink: &Sink<'_>,
) -> Result<(), CompressError> {
    let Module { weight: name, shape, .. } = module;
    let (n_rows, n_columns) = (shape.n_rows(), shape.n_columns().max(1));
    let (code, [height, width]) = (scheme.code(), scheme.block().map(|n| n.unwrap_or(usize::MAX)));
    let n_blocks = n_columns.div_ceil(width);
    let codes_name = match code {
        Code::Packed(_) => format!("{name}_packed"),
        Code::E4M3 | Code::Int8 => name.clone(),
    };
    // One scale for all rows takes a pass of its own.
    let whole = if height == usize::MAX { Some(largest_magnitude(checkpoint, name)?) } else { None };
    let (mut codes, mut scale_bytes, mut offset) = (Vec::new(), Vec::new(), 0);
    let mut scales = vec![0.0; n_blocks];
    each_chunk(checkpoint, name, height, |x| {
        codes.clear();
        for x in x.chunks(height.saturating_mul(n_columns)) {
            scales.fill(whole.unwrap_or_default());
            if whole.is_none() {
                magnitudes(x, n_columns, width, &mut scales);
            }
            let first = scale_bytes.is_empty();
            for scale_of in &mut scales {
                *scale_of = scale::<F>(*scale_of, code);
                if first || whole.is_none() {
                    F::write(*scale_of, &mut scale_bytes);
                }
            }
            for row in x.chunks(n_columns) {
                encode_row::<F>(row, width, &scales, code, &mut codes);
            }
        }
        sink.write(&codes_name, offset, &codes)?;
        offset += codes.len() as u64;
        Ok(())
    })?;
    sink.write(&format!("{name}_scale"), 0, &scale_bytes)?;
    if let Code::Packed(_) = code {
        let dims = [n_rows, shape.n_columns()].map(|n| (n as i64).to_le_bytes());
        sink.write(&format!("{name}_shape"), 0, &dims.concat())?;
    }
    Ok(())
}

/// The largest magnitude of a matrix.
fn largest_magnitude(checkpoint: &Checkpoint, name: &str) -> Result<f32, CompressError> {
    let mut largest = [0.0];
    each_chunk(checkpoint, name, 1, |x| {
        magnitudes(x, x.len(), x.len(), &mut largest);
        Ok(())
    })?;
    Ok(largest[0])
}

/// Decodes a matrix some rows at a time, a multiple of `height` unless that is all of them; each value must be finite.
fn each_chunk(
    checkpoint: &Checkpoint,
    name: &str,
    height: usize,
    mut visit: impl FnMut(&[f32]) -> Result<(), CompressError>,
) -> Result<(), CompressError> {
    let mut rows = checkpoint.rows(name)?;
    let (n_rows, n_columns) = (rows.shape().n_rows(), rows.shape().n_columns().max(1));
    let n_chunk_rows = (CHUNK_ELEMENTS / n_columns).max(1);
    let n_chunk_rows =
        n_chunk_rows.checked_next_multiple_of(height).unwrap_or(n_chunk_rows).min(n_rows.max(1));
    let mut x = vec![0.0; n_chunk_rows * n_columns];
    for start in (0..n_rows).step_by(n_chunk_rows) {
        let end = n_rows.min(start + n_chunk_rows);
        let x = &mut x[..(end - start) * n_columns];
        rows.decode(start..end, x);
        check_finite(name, start, x, n_columns)?;
        visit(x)?;
    }
    Ok(())
}

pub(crate) fn check_finite(
    name: &str,
    first_row: usize,
    x: &[f32],
    n_columns: usize,
) -> Result<(), CompressError> {
    // One pass with no early exit, so that it is vectorised; the place is looked for only on a fault.
    if x.iter().fold(true, |all, x| all & (x.abs() <= f32::MAX)) {
        return Ok(());
    }
    let i = x.iter().position(|x| !x.is_finite()).unwrap_or(0);
    Err(CompressError::NotFinite { name: name.to_owned(), row: first_row + i / n_columns, value: x[i] })
}
