//! `hala merge`: one checkpoint of several.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use hala_compress::{MergeConfig, Merged};
use serde::Serialize;

use crate::app::App;
use crate::input::Input;
use crate::model_args::{CheckpointArgs, n_threads, threads};
use crate::output;
use crate::progress::with_work_bar;
use crate::terminal::{self, BOLD, counted, paint};

/// Merges checkpoints as a file in mergekit's words says.
///
/// `slerp` and `linear` are supported, by `models` or by `slices` of their layers; parameters of other methods are passed over with a notice,
/// and what else a file asks for is refused by name. Tensors are merged one by one, so memory holds little. A run that is interrupted is
/// gone on with by the same command.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  hala merge merge.yml ./Hala-350M

  merge.yml, halfway between a tuned model and its base:
    models: [{ model: ./LFM2-350M }, { model: ./tuned }]
    merge_method: slerp
    base_model: ./LFM2-350M
    parameters: { t: 0.5 }
    dtype: bfloat16")]
pub(crate) struct MergeArgs {
    /// What to merge, and how: a YAML file as mergekit takes it; models are folders or Hub ids
    #[arg(value_name = "CONFIG")]
    config: PathBuf,

    /// The folder to make
    #[arg(value_name = "OUT")]
    out: PathBuf,

    /// Threads; 0 for as many as the machine runs at once
    #[arg(long, value_name = "N", default_value = "0", value_parser = threads(), allow_negative_numbers = true)]
    threads: usize,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Summary {
    out: String,
    seconds: f64,
    #[serde(flatten)]
    merged: Merged,
}

impl MergeArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let app = &app.quiet_if(self.json);
        let file = self.config.display().to_string();
        let config = MergeConfig::parse(&file, &Input::file(&self.config)?.read_all()?)?;
        let open = |model: &str| CheckpointArgs::new(Some(model.to_owned())).open(app);
        let checkpoints = config.models().into_iter().map(open).collect::<Result<Vec<_>>>()?;
        let start = Instant::now();
        let merged = with_work_bar(app, |on_progress| {
            hala_compress::merge(&config, checkpoints, &self.out, n_threads(self.threads), on_progress)
        })?;
        if !config.passed_over().is_empty() && !app.quiet {
            let names = config.passed_over().join(", ");
            terminal::notice(&format!("{file}: passed over, as other methods have it: {names}"));
        }
        let (seconds, out) = (start.elapsed().as_secs_f64(), self.out.display().to_string());
        if self.json {
            return output::print_json(&Summary { out, seconds, merged });
        }
        let Merged { n_tensors, n_parameters, n_layers } = merged;
        let out = paint(BOLD, out);
        let (tensors, layers) = (counted(n_tensors, "tensor"), counted(n_layers, "layer"));
        let parameters = counted(n_parameters, "parameter");
        output::print_styled(&format!("{out}: {tensors}, {layers}, {parameters}, in {seconds:.1} s\n"))
    }
}
