//! Compressing a checkpoint: its matrices in the schemes of a recipe, all else as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use hala_weights::{Checkpoint, WEIGHTS_FILE};
use serde_json::{Map, Value, json};

use crate::chunks::{StoredRows, each_chunk, largest_magnitude};
use crate::codes::{encode_row, magnitudes, scale, store_row};
use crate::error::CompressError;
use crate::float::{Float, with_float};
use crate::folder::{copy_other_files, copy_tensor, fingerprint, torch_layout, write_index, write_json};
use crate::gptq::Factor;
use crate::job::{Job, OnProgress, OutFile, Pace, Progress, Sink, Task};
use crate::recipe::{Module, Recipe, modules};
use crate::report::{Made, Report, verify};
use crate::scheme::{Scheme, input_scale};
use crate::smooth::{NormedInputs, Smoothing, divide_products, multiply};

/// Bytes of what calibration found that memory holds at once.
const MAX_HESSIANS: u64 = 1 << 30;

/// How a compression runs.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Threads that work at once.
    pub n_threads: usize,
    /// What is known of the model's inputs: with it, whole codes are found by GPTQ.
    pub calibration: Option<&'a dyn Calibration>,
}

/// What a model's matrices are multiplied with on a text.
pub trait Calibration: Sync {
    /// A word by which the same calibration is known again.
    fn fingerprint(&self) -> String;

    /// `xᵀx [C, C]` of the inputs `x [T, C]` of each of these weights, given with C; the upper half counts.
    ///
    /// # Errors
    /// In words, why they cannot be computed.
    fn hessians(&self, weights: &[(&str, usize)]) -> Result<BTreeMap<String, Vec<f32>>, String>;

    /// What comes out of each norm that products read.
    ///
    /// # Errors
    /// In words, why it cannot be computed.
    fn normed_inputs(&self) -> Result<Vec<NormedInputs>, String>;
}

/// Compresses `checkpoint` into the new folder `out`, tensor by tensor, and reads it back.
///
/// Memory holds a few rows for each thread, and with calibration up to a gigabyte of what it found. An interrupted run is gone on
/// with by the next of the same arguments; its work is in `OUT.partial` until then. Equal arguments give equal files, however often
/// they were interrupted.
///
/// # Errors
/// `out` exists, the recipe does not fit the checkpoint, a value is not finite, files cannot be read or written, or `on_progress` said
/// to stop. Faults of the checkpoint leave nothing behind.
pub fn compress(
    checkpoint: &Checkpoint,
    out: &Path,
    recipe: &Recipe,
    run: Run<'_>,
    on_progress: &mut OnProgress<'_>,
) -> Result<Report, CompressError> {
    if let Some(found) = checkpoint.config().ok().and_then(|config| config.raw("quantization_config")) {
        let found = found.get("quant_method").unwrap_or(found).to_string();
        return Err(CompressError::AlreadyQuantised { origin: checkpoint.origin(), found });
    }
    let config = compressed_config(checkpoint, recipe)?;
    let work = Work::new(checkpoint, recipe, run, on_progress)?;
    let files = work.files()?;
    let settings = [
        ("smooth", json!(recipe.smoothing())),
        ("recipe", config["quantization_config"].clone()),
        ("ranges", json!(recipe.ranges())),
        ("calibration", json!(run.calibration.map(Calibration::fingerprint))),
    ];
    let mut job = Job::begin(out, &fingerprint("compress", &[checkpoint], settings), &files)?;
    let result = work.fill(&mut job, &files, &config, &mut Pace::new(run.n_threads, on_progress));
    job.end(result, Job::finish)
}

/// config.json with what was done to the matrices.
fn compressed_config(checkpoint: &Checkpoint, recipe: &Recipe) -> Result<Map<String, Value>, CompressError> {
    let mut map = checkpoint.config()?.map().clone();
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
    calibration: Option<&'a dyn Calibration>,
    smoothing: Smoothing,
    modules: BTreeMap<String, Module>,
}

impl<'a> Work<'a> {
    fn new(
        checkpoint: &'a Checkpoint,
        recipe: &'a Recipe,
        run: Run<'a>,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<Self, CompressError> {
        let modules = modules(checkpoint, recipe)?;
        let modules = modules.into_iter().map(|module| (module.weight.clone(), module)).collect();
        let (calibration, smoothing) = (run.calibration, Smoothing::default());
        let mut work = Self { checkpoint, recipe, calibration, smoothing, modules };
        if let Some(strength) = recipe.smoothing() {
            let calibration = calibration.ok_or(CompressError::SmoothingNotCalibrated)?;
            let stopped = || CompressError::Stopped;
            let inputs = calibration
                .normed_inputs()
                .map_err(|reason| not_calibrated(reason, [0, 1], on_progress, stopped))?;
            let is_smoothed =
                |weight: &str| work.modules.get(weight).is_some_and(|m| work.scheme(m).is_smoothed());
            work.smoothing = Smoothing::new(checkpoint, &inputs, strength, is_smoothed)?;
        }
        Ok(work)
    }

    /// Whether a module's codes are found by GPTQ.
    fn is_calibrated(&self, module: &Module) -> bool {
        self.calibration.is_some() && self.scheme(module).is_whole()
    }

    fn scheme(&self, module: &Module) -> Scheme {
        self.recipe.groups()[module.group].scheme
    }

    /// The files to write: as many as the checkpoint has, with the same names and the same tensors in each.
    fn files(&self) -> Result<Vec<OutFile>, CompressError> {
        let mut files = Vec::new();
        for (name, tensors) in self.checkpoint.weight_files() {
            let mut layout = torch_layout();
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
            let name = if name.ends_with(".safetensors") { name } else { WEIGHTS_FILE };
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
        let tasks = tensors.map(Task::of);
        let is_calibrated = |task: &Task| self.modules.get(&task.name).is_some_and(|m| self.is_calibrated(m));
        let (calibrated, plain): (Vec<Task>, Vec<Task>) = tasks.partition(is_calibrated);
        let [n_calibrated, n_plain] =
            [&calibrated, &plain].map(|tasks| tasks.iter().map(|t| t.n_bytes).sum());
        pace.others = [0, n_calibrated];
        let work = |task: &Task, sink: &Sink<'_>| match self.modules.get(&task.name) {
            None if self.smoothing.is_norm(&task.name) => self.smoothing.write_norm(&task.name, sink),
            None => copy_tensor(self.checkpoint, &task.name, sink),
            Some(module) => self.quantise(module, sink),
        };
        job.run(&plain, pace, work)?;
        self.fill_calibrated(job, calibrated, [n_plain, n_plain + n_calibrated], pace)?;
        write_index(job.folder(), files)?;
        write_json(&job.folder().join("config.json"), &Value::Object(config.clone()))?;
        copy_other_files(self.checkpoint, job.folder(), &BTreeSet::from(["config.json"]))?;
        let label = |module: &Module| {
            let is_smooth = self.smoothing.columns(&module.weight).is_some();
            let smooth = if is_smooth { ", smoothed" } else { "" };
            let how = if self.is_calibrated(module) { ", by GPTQ" } else { "" };
            format!("{}{smooth}{how}", self.scheme(module))
        };
        let made = self.modules.values().map(|module| Made {
            weight: &module.weight,
            how: label(module),
            columns: self.smoothing.columns(&module.weight),
        });
        verify(self.checkpoint, job.folder(), &made.collect::<Vec<_>>(), pace)
    }

    /// Does the tasks of modules that GPTQ quantises, as many at a time as memory has room for what was found of their inputs.
    fn fill_calibrated(
        &self,
        job: &mut Job,
        tasks: Vec<Task>,
        [mut n_done, n_total]: [u64; 2],
        pace: &mut Pace<'_, '_>,
    ) -> Result<(), CompressError> {
        let Some(calibration) = self.calibration else { return Ok(()) };
        let (done, open): (Vec<Task>, Vec<Task>) =
            tasks.into_iter().partition(|task| job.is_done(&task.name));
        n_done += done.iter().map(|task| task.n_bytes).sum::<u64>();
        let mut open = open.into_iter().peekable();
        while open.peek().is_some() {
            let mut batch: Vec<Task> = Vec::new();
            let mut n_bytes = 0;
            while let Some(task) =
                open.next_if(|task| batch.is_empty() || n_bytes + self.n_hessian_bytes(task) <= MAX_HESSIANS)
            {
                n_bytes += self.n_hessian_bytes(&task);
                batch.push(task);
            }
            let weights: Vec<_> = batch
                .iter()
                .map(|task| (task.name.as_str(), self.modules[&task.name].shape.n_columns()))
                .collect();
            let hessians = calibration.hessians(&weights).map_err(|reason| {
                not_calibrated(reason, [n_done, n_total], pace.on_progress, || job.cancelled())
            })?;
            let hessians = Mutex::new(hessians);
            let n_batch: u64 = batch.iter().map(|task| task.n_bytes).sum();
            pace.others = [n_done, n_total - n_batch];
            job.run(&batch, pace, |task, sink| {
                let hessian = hessians.lock().ok().and_then(|mut hessians| hessians.remove(&task.name));
                self.quantise_by_gptq(&self.modules[&task.name], hessian.unwrap_or_default(), sink)
            })?;
            n_done += n_batch;
        }
        Ok(())
    }

    fn n_hessian_bytes(&self, task: &Task) -> u64 {
        let n_columns = self.modules[&task.name].shape.n_columns() as u64;
        n_columns * n_columns * 4
    }

    fn quantise_by_gptq(
        &self,
        module: &Module,
        hessian: Vec<f32>,
        sink: &Sink<'_>,
    ) -> Result<(), CompressError> {
        let Module { weight: name, shape, .. } = module;
        let (scheme, n_columns) = (self.scheme(module), shape.n_columns());
        let unseen = || CompressError::Inputs { name: name.clone() };
        let columns = self.smoothing.columns(name);
        let mut hessian = Some(hessian).filter(|h| h.len() == n_columns * n_columns);
        if let (Some(h), Some(columns)) = (&mut hessian, columns) {
            divide_products(h, columns);
        }
        let factor = hessian.and_then(|h| Factor::new(h, n_columns)).ok_or_else(unseen)?;
        let mut stored = StoredRows::new(name, scheme.code());
        let (mut codes, mut scales) = (Vec::new(), Vec::new());
        let dtype = self.checkpoint.stored_dtype(name)?;
        each_chunk(self.checkpoint, name, 1, |x| {
            codes.clear();
            scales.clear();
            columns.iter().for_each(|columns| multiply(x, columns));
            with_float!(dtype, F => {
                factor.quantise::<F>(x, scheme, &mut codes, &mut scales);
                scales.iter().for_each(|scale| F::write(*scale, &mut stored.scales));
            });
            for row in codes.chunks(n_columns) {
                store_row(row.iter().copied(), scheme.code(), &mut stored.codes);
            }
            stored.flush(sink)
        })?;
        stored.finish(*shape, sink)
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
            quantise::<F>(self.checkpoint, module, (scheme, self.smoothing.columns(&module.weight)), sink)
        })
    }
}

/// Reads some rows at a time, and writes their codes; the scales of all of them at the end.
fn quantise<F: Float>(
    checkpoint: &Checkpoint,
    module: &Module,
    (scheme, columns): (Scheme, Option<&[f32]>),
    sink: &Sink<'_>,
) -> Result<(), CompressError> {
    let Module { weight: name, shape, .. } = module;
    let n_columns = shape.n_columns().max(1);
    let (code, [height, width]) = (scheme.code(), scheme.block().map(|n| n.unwrap_or(usize::MAX)));
    // One scale for all rows takes a pass of its own.
    let whole = if height == usize::MAX { Some(largest_magnitude(checkpoint, name)?) } else { None };
    let mut stored = StoredRows::new(name, code);
    let mut scales = vec![0.0; n_columns.div_ceil(width)];
    each_chunk(checkpoint, name, height, |x| {
        columns.iter().for_each(|columns| multiply(x, columns));
        for x in x.chunks(height.saturating_mul(n_columns)) {
            scales.fill(whole.unwrap_or_default());
            if whole.is_none() {
                magnitudes(x, n_columns, width, &mut scales);
            }
            let first = stored.scales.is_empty();
            for scale_of in &mut scales {
                *scale_of = scale::<F>(*scale_of, code);
                if first || whole.is_none() {
                    F::write(*scale_of, &mut stored.scales);
                }
            }
            for row in x.chunks(n_columns) {
                encode_row::<F>(row, width, &scales, code, &mut stored.codes);
            }
        }
        stored.flush(sink)
    })?;
    stored.finish(*shape, sink)
}

/// Why calibration ended early: its own reason, unless the user stopped it.
fn not_calibrated(
    reason: String,
    [n_done, n_total]: [u64; 2],
    on_progress: &mut OnProgress<'_>,
    stopped: impl FnOnce() -> CompressError,
) -> CompressError {
    if on_progress(Progress { n_done, n_total, what: "calibrating" }) {
        return CompressError::Calibration(reason);
    }
    stopped()
}
