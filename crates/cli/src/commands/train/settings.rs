//! Options that go over a run's file.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use hala_train::config::{Products, Settings, TrainConfig};

use crate::input::Input;
use crate::model_args::threads;
use crate::paths;

/// Settings that go over those of the file; a path is relative to where the command runs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Over the file")]
pub(crate) struct SettingsArgs {
    /// The checkpoint to begin with: a folder, a file, or a Hub id
    #[arg(long, short, value_name = "MODEL")]
    model: Option<String>,

    /// The folder of the run
    #[arg(long, short, value_name = "FOLDER", value_parser = paths::new())]
    output: Option<PathBuf>,

    /// Updates of the optimizer
    #[arg(long, value_name = "N", conflicts_with = "epochs")]
    steps: Option<u64>,

    /// Passes over the data
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,

    /// Rows of a batch: what is computed at once, and what memory grows with
    #[arg(long, value_name = "N")]
    batch_rows: Option<usize>,

    /// Batches that an update is made of
    #[arg(long, value_name = "N")]
    accumulation: Option<usize>,

    /// The highest learning rate
    #[arg(long, value_name = "RATE")]
    learning_rate: Option<f64>,

    /// What all that is random depends on
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Threads; 0 for as many as the machine runs at once
    #[arg(long, value_name = "N", value_parser = threads(), allow_negative_numbers = true)]
    threads: Option<usize>,

    /// How matrices are multiplied: f32 or bf16
    #[arg(long, value_name = "FORMAT", value_parser = products())]
    products: Option<Products>,

    /// Compute activations again for the backward pass: less memory, more time
    #[arg(long)]
    recompute: bool,

    /// Any setting of the file, as in --set dropout=0.1; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

fn products() -> impl TypedValueParser<Value = Products> {
    PossibleValuesParser::new(["f32", "bf16"])
        .map(|name| if name == "bf16" { Products::Bf16 } else { Products::F32 })
}

impl SettingsArgs {
    /// The file's settings with these over them.
    ///
    /// # Errors
    /// A file that cannot be read, and settings that make no sense.
    pub(super) fn config(&self, path: &Path) -> Result<TrainConfig> {
        let name = path.display().to_string();
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut under = Settings::parse(&name, &Input::file(path)?.read_all()?)?.relative_to(folder);
        let mut over = Settings {
            model: self.model.clone(),
            output: self.output.clone(),
            steps: self.steps,
            epochs: self.epochs,
            batch_rows: self.batch_rows,
            accumulation: self.accumulation,
            learning_rate: self.learning_rate,
            seed: self.seed,
            threads: self.threads,
            products: self.products,
            recompute: self.recompute.then_some(true),
            ..Settings::default()
        };
        for assignment in &self.set {
            over = over.over(Settings::assignment(assignment)?);
        }
        // What is asked for in another way than in the file takes its place.
        if over.steps.is_some() || over.epochs.is_some() {
            (under.steps, under.epochs) = (None, None);
        }
        if over.model.is_some() {
            under.from_scratch = None;
        }
        Ok(TrainConfig::resolve(over.over(under))?)
    }
}
