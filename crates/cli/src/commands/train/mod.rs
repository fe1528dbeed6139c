//! `hala train`: a model learns from files.

mod dry_run;
mod report;
mod settings;
mod watch;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use hala_train::config::{Base, TrainConfig};
use hala_train::metrics::{Line, read};
use hala_train::run::{DryRun, Ended, Prepared, RunFolder, Start, from_scratch, train};

use self::report::ReportArgs;
use self::settings::SettingsArgs;
use self::watch::Watch;
use crate::app::App;
use crate::failure::Interrupted;
use crate::model_args::CheckpointArgs;
use crate::output;
use crate::terminal::{self, BOLD, counted, paint};

/// Trains a model on conversations, translations or plain text, as a YAML file says.
///
/// All weights are trained, with AdamW, from a checkpoint or from scratch. The run's folder gets checkpoints that Hala, transformers and vLLM load: `final` in
/// the end, `best` by held-out rows, the last few `step-N`; and metrics.jsonl, which `hala train report` draws. A run that is broken off, by Ctrl-C or anything
/// else, is gone on with by the same command, and ends with the same bits as one that is not.
///
/// The file's settings, each with its default: model or from_scratch {config, tokenizer}; output; data, a list of files or of {file, form json|pairs|lines,
/// first, to, repeat 1, weight 1}; held_out 0 or evaluation, files; context; packing first_fit|in_order|alone; too_long drop|refuse; faulty refuse|drop;
/// replies all|last; shuffle 1048576; now; steps or epochs; batch_rows 2048; accumulation 1; learning_rate 1e-4; schedule cosine|linear|wsd|constant;
/// warmup 0; cooldown 0; final_rate 0; beta1 0.9; beta2 0.95; eps 1e-8; weight_decay 0.1; max_norm 1; dropout 0; label_smoothing 0; ema 0; average_last 0;
/// seed 0; threads 0; products f32|bf16; recompute false; evaluate_every 0; evaluation_batches 16; samples 0; sample_tokens 128; save_every 0; keep 2;
/// save_as bf16|f32. Paths in it are relative to the file.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
#[command(after_help = "Examples:
  hala train run.yml --dry-run
  hala train run.yml --set learning_rate=3e-4 --set samples=4
  hala train report ./run

  run.yml, a translator tuned on pairs of a file with a tab between them:
    model: LiquidAI/LFM2-350M
    output: ./run
    data: [pairs.tsv]
    held_out: 0.01
    epochs: 2
    learning_rate: 2e-5
    warmup: 50
    evaluate_every: 200
    samples: 32
    save_every: 200")]
pub(crate) struct TrainArgs {
    #[command(subcommand)]
    command: Option<TrainCommand>,

    /// The run: a YAML file
    #[arg(value_name = "CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: SettingsArgs,

    /// Remove what an earlier run has left in the output, and begin anew
    #[arg(long)]
    restart: bool,

    /// Read the data, compute a few batches, and tell what the run would be: nothing is written
    #[arg(long)]
    dry_run: bool,

    /// Print JSON: an object for each step and evaluation, or one with --dry-run
    #[arg(long)]
    json: bool,
}

/// What else is done with runs.
#[derive(Debug, Subcommand)]
enum TrainCommand {
    #[command(about = "Draw the metrics of a run as a page")]
    Report(ReportArgs),
}

impl TrainArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        if let Some(TrainCommand::Report(args)) = self.command {
            return args.run();
        }
        let app = &app.quiet_if(self.json);
        let path = self.config.context("the file of the run is missing; `hala train --help` shows one")?;
        let config = self.settings.config(&path)?;
        let prepared = prepare(config, app)?;
        let _working = app.interrupt.working();
        let mut watch = Watch::new(app, self.json);
        if self.dry_run {
            let found = DryRun::of(&prepared, app.interrupt.cancel(), &mut |event| watch.on(event))?;
            drop(watch);
            return dry_run::print(&prepared, &found.ok_or(Interrupted)?, self.json);
        }
        let start = if self.restart { Start::Restart } else { Start::Resume };
        let ended = train(&prepared, start, app.interrupt.cancel(), &mut |event| watch.on(event))?;
        drop(watch);
        finish(prepared.config(), ended, app, self.json)
    }
}

/// Opens what the run begins with, and checks that it can.
fn prepare(config: TrainConfig, app: &App) -> Result<Prepared> {
    let checkpoint = match &config.base {
        Base::Model(model) => CheckpointArgs::new(Some(model.clone())).open(app)?,
        Base::FromScratch { config: shape, tokenizer } => from_scratch(shape, tokenizer, config.seed)?,
    };
    Ok(Prepared::new(config, checkpoint)?)
}

/// Says how the run has ended.
fn finish(config: &TrainConfig, ended: Ended, app: &App, json: bool) -> Result<()> {
    let n_made = match ended {
        Ended::Finished { n_made } => n_made,
        Ended::Stopped { step } => {
            if !app.quiet {
                let steps = counted(step as usize, "step");
                terminal::notice(&format!("stopped after {steps}; the same command goes on from there"));
            }
            return Err(Interrupted.into());
        }
    };
    let folder = config.output.join("final");
    if json {
        return output::print_json(
            &serde_json::json!({ "kind": "finished", "folder": folder, "steps_made": n_made }),
        );
    }
    let lines = read(&RunFolder::metrics_of(&config.output))?;
    let name = paint(BOLD, folder.display());
    let made = match n_made {
        0 => "was finished before".to_owned(),
        n => counted(n as usize, "step"),
    };
    output::print_styled(&format!("{name}: {made}{}\n", results(&lines)))
}

/// The last loss, and the best evaluation.
fn results(lines: &[Line]) -> String {
    let mut text = String::new();
    let last = lines.iter().rev().find_map(|line| match line {
        Line::Step(step) => Some(step.loss),
        Line::Evaluation(_) => None,
    });
    if let Some(loss) = last {
        text += &format!(", loss {loss:.3}");
    }
    let best = lines.iter().rev().find_map(|line| match line {
        Line::Evaluation(line) if line.is_best => Some(line),
        _ => None,
    });
    if let Some(best) = best {
        text += &format!("; best held-out loss {:.3}", best.loss);
        if let Some(chrf) = best.chrf {
            text += &format!(" and chrF++ {chrf:.1}");
        }
        text += &format!(" after step {}", best.step);
    }
    text
}
