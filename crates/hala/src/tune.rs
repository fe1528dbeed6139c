//! Which kernels are fastest for a model on a GPU: measured, and kept for every later run.

use std::path::PathBuf;

use hala_backend_wgpu::{Trial, Tuning};
use hala_engine::EngineError;
use hala_model::{LogitRows, PlanShape};
use hala_plan::{Backend, Cancel, PoolSize};

use crate::engine::Engine;
use crate::error::Error;
use crate::tuned;

/// What is measured.
#[derive(Debug, Clone)]
pub struct TuneOptions {
    /// Tokens of the runs: those of them that are sizes of the device's Plans count.
    pub n_tokens: Vec<usize>,
    /// Runs of each way, of which the fastest counts.
    pub n_runs: usize,
    /// The folder in which it is kept, as [`DeviceOptions::folder`](crate::DeviceOptions::folder).
    pub folder: Option<PathBuf>,
    /// Stops it.
    pub cancel: Cancel,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TuneProgress {
    /// Tokens of the Plan that is measured.
    pub n_tokens: usize,
    /// Runs of it that are done.
    pub n_done: usize,
    /// Runs of it in all.
    pub n_total: usize,
}

/// What was found, and the file that keeps it.
#[derive(Debug)]
pub struct Tuned {
    /// Every way that was measured.
    pub trials: Vec<Trial>,
    /// The file; choices for other models that were in it stay.
    pub path: PathBuf,
}

/// Times each matrix product of the model's Plans in every way that the GPU can go, and keeps the fastest. What was chosen before counts
/// for nothing here, and the engine goes on with it afterwards.
///
/// # Errors
/// The engine runs on no GPU; none of the sizes is one that the device uses; a device without a clock; stopped.
pub async fn tune(
    engine: &Engine,
    options: &TuneOptions,
    mut progress: impl FnMut(TuneProgress),
) -> Result<Tuned, Error> {
    let refused = |reason: &str| Error::Request { reason: reason.to_owned() };
    let gpu = engine.backend().as_wgpu();
    let gpu =
        gpu.ok_or_else(|| refused("only a GPU has kernels to choose among, and the CPU runs this model"))?;
    let context = engine.model().facts().context;
    let used: Vec<usize> = gpu.decode_sizes().iter().chain(gpu.prefill_sizes()).copied().collect();
    let asked = &options.n_tokens;
    let mut sizes: Vec<usize> = used.iter().filter(|n| asked.contains(n)).map(|n| *n.min(&context)).collect();
    sizes.dedup();
    let Some(most) = sizes.iter().copied().max() else {
        return Err(Error::Sizes { device: gpu.device().name.clone(), asked: asked.clone(), used });
    };
    // What a Plan's steps are made of is asked of the choices too, so those of an earlier time would be measured upon.
    let _untuned = gpu.untuned();
    let weights = engine.weights().iter().map(|weight| weight.wgpu("weights").cloned());
    let weights: Vec<_> = weights.collect::<Result<_, _>>()?;
    let size = PoolSize { n_slots: 2, n_pages: engine.model().n_pages(most, most) };
    let mut states = gpu.allocate(engine.model().states(), &size)?;
    let mut trials = Vec::new();
    for n_tokens in sizes {
        let is_decoding = gpu.decode_sizes().contains(&n_tokens);
        let logits = if is_decoding { LogitRows::All } else { LogitRows::Wanted(1) };
        let (plan, _) = engine.plan(PlanShape { n_tokens, logits })?;
        let tuning = Tuning {
            plan: &plan,
            weights: &weights,
            states: &mut states,
            n_runs: options.n_runs,
            cancel: &options.cancel,
        };
        let told = |n_done, n_total| progress(TuneProgress { n_tokens, n_done, n_total });
        trials.extend(gpu.tune(tuning, told).await?);
    }
    if options.cancel.is_cancelled() {
        return Err(EngineError::Cancelled.into());
    }
    let folder = options.folder.as_deref();
    let mut choices = tuned::read(gpu, folder);
    let chosen = trials.iter().filter(|trial| trial.is_chosen);
    choices.ways.extend(chosen.map(|trial| (trial.question.clone(), trial.way.clone())));
    let path = tuned::write(gpu, folder, &choices)?;
    Ok(Tuned { trials, path })
}
