//! `hala tune`: which kernels are fastest on a GPU, measured and kept.

use anyhow::{Result, ensure};
use clap::Args;
use hala_backend_wgpu::{Trial, Tuning, WgpuBackend};
use hala_engine::{Engine, EngineError, LoadOptions};
use hala_model::{LogitRows, Options, PlanShape, WeightFormat};
use hala_plan::{Backend, PoolSize};

use crate::model_args::{CheckpointArgs, adapter_choice, load, weight_formats};
use crate::progress::TuneBar;
use crate::terminal::{self, BOLD, DIM, paint};
use crate::{App, output, tuned};

/// Measures which kernels are fastest for a model on a GPU, and keeps that for every command.
///
/// Each matrix product of the model's Plans, for one token and for prompts, is timed by the device's own clock in every
/// way that the device can go. The choices are kept in the user's folder for caches; those of other models stay.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hala tune --model ./LFM2-350M --weights int8")]
pub(crate) struct TuneArgs {
    /// Runs of each way, of which the fastest counts
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    /// Tokens of the runs that are measured: 1 is decoding, the others are the device's sizes for prompts
    #[arg(
        long,
        value_name = "N,…",
        allow_negative_numbers = true,
        value_delimiter = ',',
        default_value = "1,32,128,512"
    )]
    tokens: Vec<usize>,

    #[command(flatten)]
    checkpoint: CheckpointArgs,

    /// How matrices are held; `auto` keeps a quantised checkpoint as it is and makes others int8
    #[arg(long, value_name = "FORMAT", value_parser = weight_formats(), help_heading = "Model")]
    weights: Option<WeightFormat>,

    /// The GPU whose name contains this text, where there are several
    #[arg(long, value_name = "NAME", help_heading = "Model")]
    adapter: Option<String>,
}

impl TuneArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let choice = adapter_choice(self.adapter.as_deref());
        let backend = pollster::block_on(WgpuBackend::new(&choice))?;
        let options = LoadOptions {
            weights: self.weights.unwrap_or_default(),
            // What is measured does not depend on how much has been seen.
            model: Options { context: None, ..Options::default() },
        };
        let engine = load(backend, &self.checkpoint.open(app)?, options, app)?;
        let backend = engine.backend();
        let mut choices = tuned::read(backend);
        let trials = pollster::block_on(self.tune(&engine, app))?;
        let chosen = trials.iter().filter(|trial| trial.is_chosen);
        choices.ways.extend(chosen.map(|trial| (trial.question.clone(), trial.way.clone())));
        let path = tuned::write(backend, &choices)?;
        output::print_styled(&format!("{}\n{}", backend.device().name, table(&trials)))?;
        if !app.quiet {
            terminal::notice(&format!("kept in {}", path.display()));
        }
        Ok(())
    }

    /// The trials of the Plans for rows that decode, and for prompts.
    async fn tune(&self, engine: &Engine<WgpuBackend>, app: &App) -> Result<Vec<Trial>> {
        let _working = app.interrupt.working();
        let backend = engine.backend();
        let context = engine.model().facts().context;
        let used = backend.decode_sizes().iter().chain(backend.prefill_sizes());
        let mut sizes: Vec<usize> =
            used.filter(|n| self.tokens.contains(n)).map(|n| *n.min(&context)).collect();
        sizes.dedup();
        ensure!(!sizes.is_empty(), "none of --tokens is a size that {} uses", backend.device().name);
        let most = sizes.iter().copied().max().unwrap_or(1);
        let size = PoolSize { n_slots: 2, n_pages: engine.model().n_pages(most, most) };
        let mut states = backend.allocate(engine.model().states(), &size).map_err(EngineError::from)?;
        let mut trials = Vec::new();
        for n_tokens in sizes {
            let is_decoding = backend.decode_sizes().contains(&n_tokens);
            let logits = if is_decoding { LogitRows::All } else { LogitRows::Wanted(1) };
            let (plan, _) = engine.plan(PlanShape { n_tokens, logits })?;
            let mut bar = TuneBar::new(n_tokens, app);
            let tuning = Tuning {
                plan: &plan,
                weights: engine.weights(),
                states: &mut states,
                n_runs: self.repeat as usize,
                cancel: app.interrupt.cancel(),
            };
            let found = backend.tune(tuning, |n_done, n_total| bar.update(n_done, n_total)).await;
            trials.extend(found.map_err(EngineError::from)?);
        }
        app.interrupt.check()?;
        Ok(trials)
    }
}

/// A line for each way, those of one product together.
fn table(trials: &[Trial]) -> String {
    let width = trials.iter().map(|trial| trial.question.chars().count()).max().unwrap_or(0).max(7);
    let head = format!("{:<width$} {:<12} {:>10}", "product", "way", "µs");
    let mut text = format!("{}\n", paint(BOLD, head));
    for Trial { question, way, seconds, is_default, is_chosen } in trials {
        let note = match (is_chosen, is_default) {
            (true, true) => "◂",
            (true, false) => "◂ faster than the default",
            (false, true) => "default",
            (false, false) => "",
        };
        let line = format!("{question:<width$} {way:<12} {:>10.0}", seconds * 1e6);
        text.push_str(&format!("{line} {}\n", paint(DIM, note)));
    }
    text
}
