//! `hala trace`: every step that a model takes on prompts, with what it wrote, or with how far that is from the truth.

use std::fs;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use hala::{AnyBackend, Engine, Runtime};
use hala_engine::{BufferStatistics, Probe, ProbeRows, ProbeRun, StepTrace};
use serde::Serialize;

use super::prompt::{Prompt, PromptsArgs};
use super::trace_against;
use crate::app::App;
use crate::model_args::ModelArgs;
use crate::output;
use crate::terminal::{BOLD, ERROR, bytes, counted, paint};

/// Runs prompts one step at a time and prints the statistics of every buffer that a step wrote.
///
/// A buffer whose numbers are no longer finite, or grow from layer to layer, shows where a computation goes wrong. With --against cpu each
/// step is compared with the same step of the CPU in plain loops, from the same inputs: the first that departs is named, and hala ends
/// with the exit code 1.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hala trace --prompt \"صباح الخير\"
  hala trace --model ./LFM2-350M --backend wgpu --against cpu --decode --ids 1,5,9 --ids 1,6")]
pub(crate) struct TraceArgs {
    #[command(flatten)]
    prompts: PromptsArgs,

    /// Trace the run that decodes the last token of each prompt, instead of the one that reads the prompts
    #[arg(long)]
    decode: bool,

    /// Compute so many tokens of each prompt before, and trace what comes after; with --decode, the one token after
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    position: Option<usize>,

    /// Compare each step with that of the CPU in plain loops
    #[arg(long, value_enum, value_name = "BACKEND")]
    against: Option<Against>,

    /// Try other WGSL for one of a GPU's kernels, which bind what the kernel of this name does; `hala profile` has the names
    #[arg(long, value_name = "NAME=FILE", value_parser = kernel)]
    kernel: Vec<Kernel>,

    /// Print one object of JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,
}

/// What a run is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Against {
    /// The CPU, in plain loops with f64 sums
    #[value(alias = "plain")]
    Cpu,
}

/// The text of a kernel.
#[derive(Debug, Clone)]
struct Kernel {
    name: String,
    wgsl: String,
}

fn kernel(argument: &str) -> Result<Kernel> {
    let (name, path) = argument.split_once('=').context("write the kernel and its text as NAME=FILE")?;
    // One message: clap shows no cause.
    let wgsl = fs::read_to_string(path).map_err(|error| anyhow!("`{path}` cannot be read: {error}"))?;
    Ok(Kernel { name: name.to_owned(), wgsl })
}

fn no_kernel(name: &str) -> String {
    format!(
        "--kernel: there is no kernel {name:?}; `hala profile` with the same model and device prints those that it uses"
    )
}

#[derive(Serialize)]
struct Json<'a> {
    plan: &'a str,
    n_tokens: usize,
    ids: Vec<u32>,
    n_buffers: usize,
    scratch_bytes: usize,
    weight_bytes: usize,
    steps: &'a [StepTrace],
}

impl TraceArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let prompts = self.prompts.read()?;
        let app = &app.quiet_if(self.json);
        let runtime = self.load(app)?;
        self.trace(&runtime, prompts, app)
    }

    /// Loads the model, with the kernels that are to be tried.
    fn load(&self, app: &App) -> Result<Runtime> {
        let options = self.model.options(app)?;
        let mut chosen = pollster::block_on(options.device.open())?;
        for Kernel { name, wgsl } in &self.kernel {
            chosen.backend = match chosen.backend {
                AnyBackend::Wgpu(gpu) => {
                    gpu.with_kernel(name, wgsl.clone()).with_context(|| no_kernel(name))?.into()
                }
                AnyBackend::Cpu(_) => {
                    bail!("--kernel is for GPUs, and the CPU would run this: give --backend wgpu")
                }
            };
        }
        self.model.load_on(Some(chosen), options, app)
    }

    fn trace(&self, runtime: &Runtime, prompts: Vec<Prompt>, app: &App) -> Result<()> {
        let engine = runtime.engine()?;
        let ids = prompts.into_iter().map(|prompt| prompt.encode(|| Ok(engine.tokenizer()?)));
        let ids: Vec<Vec<u32>> = ids.collect::<Result<_>>()?;
        let prompts: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        let rows = match self.decode {
            true => ProbeRows::Decode { position: self.position },
            false => ProbeRows::Prompt { position: self.position.unwrap_or(0) },
        };
        let run = ProbeRun { prompts: &prompts, rows };
        match self.against {
            Some(Against::Cpu) => {
                let reference = self.model.load_plain(runtime, app)?;
                trace_against::compare(engine, &reference, &run, app, self.json)
            }
            None => self.statistics(engine, &run, app),
        }
    }

    fn statistics(&self, engine: &Engine, run: &ProbeRun<'_>, app: &App) -> Result<()> {
        let _working = app.interrupt.working();
        let (plan, steps) = pollster::block_on(Probe::new(engine).trace(run, app.interrupt.cancel()))?;
        let scratch_bytes = plan.slots().iter().sum();
        if self.json {
            return output::print_json(&Json {
                plan: plan.label(),
                n_tokens: plan.n_tokens(),
                ids: run.ids(),
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
