//! `hala trace`: every step that a model takes on a prompt, with what it wrote.

use anyhow::Result;
use clap::Args;
use hala::Engine;
use hala_engine::{BufferStatistics, Probe, StepTrace};
use serde::Serialize;

use super::prompt::{Prompt, PromptArgs};
use crate::model_args::ModelArgs;
use crate::terminal::{BOLD, ERROR, bytes, counted, paint};
use crate::{App, output};

/// Runs a prompt one step at a time and prints the statistics of every buffer that a step wrote.
///
/// A buffer whose numbers are no longer finite, or grow from layer to layer, shows where a computation goes wrong.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hala trace --prompt \"صباح الخير\"")]
pub(crate) struct TraceArgs {
    #[command(flatten)]
    prompt: PromptArgs,

    /// Print one object of JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,
}

#[derive(Serialize)]
struct Json<'a> {
    plan: &'a str,
    n_tokens: usize,
    ids: &'a [u32],
    n_buffers: usize,
    scratch_bytes: usize,
    weight_bytes: usize,
    steps: &'a [StepTrace],
}

impl TraceArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let prompt = self.prompt.read()?;
        let app = &app.quiet_if(self.json);
        let engine = self.model.load(self.model.backend(app)?, app)?;
        self.trace(&engine, prompt, app)
    }

    fn trace(&self, engine: &Engine, prompt: Prompt, app: &App) -> Result<()> {
        let ids = prompt.encode(|| Ok(engine.tokenizer()?))?;
        let _working = app.interrupt.working();
        let (plan, steps) = pollster::block_on(Probe::new(engine).trace(&ids, app.interrupt.cancel()))?;
        let scratch_bytes = plan.slots().iter().sum();
        if self.json {
            return output::print_json(&Json {
                plan: plan.label(),
                n_tokens: plan.n_tokens(),
                ids: &ids,
                n_buffers: plan.buffers().len(),
                scratch_bytes,
                weight_bytes: plan.weight_bytes(),
                steps: &steps,
            });
        }
        let mut text = format!(
            "{} of {}: {}, {}, {} of scratch, {} of weights read\n",
            plan.label(),
            counted(plan.n_tokens(), "token"),
            counted(steps.len(), "step"),
            counted(plan.buffers().len(), "buffer"),
            bytes(scratch_bytes),
            bytes(plan.weight_bytes()),
        );
        let head = format!(
            "{:>4}  {:<10}  {:<28} {:>14} {:>11} {:>11} {:>11} {:>11}",
            "step", "op", "writes", "shape", "min", "max", "mean", "rms"
        );
        text.push_str(&format!("{}\n", paint(BOLD, head)));
        steps.iter().for_each(|step| rows(step, &mut text));
        output::print_styled(&text)
    }
}

/// The lines of one step: one for each buffer that it wrote.
fn rows(step: &StepTrace, text: &mut String) {
    if step.outputs.is_empty() {
        text.push_str(&format!("{:>4}  {:<10}  (state)\n", step.step, step.op));
    }
    for (i, buffer) in step.outputs.iter().enumerate() {
        let (idx, op) = if i == 0 { (step.step.to_string(), step.op) } else { (String::new(), "") };
        text.push_str(&format!("{idx:>4}  {op:<10}  {}\n", row(buffer)));
    }
}

fn row(buffer: &BufferStatistics) -> String {
    let shape = buffer.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("×");
    let BufferStatistics { label, min, max, mean, rms, .. } = buffer;
    let row = format!("{label:<28} {shape:>14} {min:>11.4} {max:>11.4} {mean:>11.4} {rms:>11.4}");
    match buffer.n_not_finite {
        0 => row,
        n => format!("{row}  {}", paint(ERROR, format!("{n} not finite"))),
    }
}
