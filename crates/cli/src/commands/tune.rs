//! `hala tune`: which kernels are fastest on a GPU, measured and kept.

use anyhow::Result;
use clap::Args;
use hala::{
    BackendName, DeviceOptions, RuntimeOptions, Trial, TuneOptions, TuneProgress, Tuned, WeightFormat,
};

use crate::app::App;
use crate::model_args::{CheckpointArgs, load, weight_formats};
use crate::output;
use crate::progress::TuneBar;
use crate::terminal::{self, BOLD, DIM, paint};

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
        let device =
            DeviceOptions { backend: BackendName::Wgpu, adapter: self.adapter, ..DeviceOptions::default() };
        let options = RuntimeOptions {
            device,
            weights: self.weights.unwrap_or_default(),
            cancel: app.interrupt.cancel().clone(),
            ..RuntimeOptions::default()
        };
        let chosen = pollster::block_on(options.device.open())?;
        let engine = load(chosen.backend, &self.checkpoint.open(app)?, &options, app)?;
        let _working = app.interrupt.working();
        let (n_tokens, n_runs) = (self.tokens, self.repeat as usize);
        let tuning = TuneOptions { n_tokens, n_runs, folder: None, cancel: app.interrupt.cancel().clone() };
        let mut bar: Option<(usize, TuneBar)> = None;
        let told = |TuneProgress { n_tokens, n_done, n_total }| {
            // A bar for each Plan.
            let bar = match bar.take_if(|(of, _)| *of == n_tokens) {
                Some(shown) => bar.insert(shown),
                None => bar.insert((n_tokens, TuneBar::new(n_tokens, app))),
            };
            bar.1.update(n_done, n_total);
        };
        let Tuned { trials, path } = pollster::block_on(hala::tune(&engine, &tuning, told))?;
        drop(bar);
        output::print_styled(&format!("{}\n{}", engine.device().name, table(&trials)))?;
        if !app.quiet {
            terminal::notice(&format!("kept in {}", path.display()));
        }
        Ok(())
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
