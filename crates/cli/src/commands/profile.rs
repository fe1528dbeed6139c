//! `hala profile`: which kernels take the time of a run.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use hala::Engine;
use hala_engine::{KernelTime, Probe, ProfileOptions};
use serde::Serialize;

use crate::app::App;
use crate::model_args::ModelArgs;
use crate::output;
use crate::terminal::{BOLD, counted, paint};

/// Shows how long each kernel takes, by the device's own clock where it has one.
///
/// Kernels are timed one by one, so their sum is more than a run takes where a device overlaps them.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hala profile --model ./LFM2-350M --weights int8 --backend wgpu")]
pub(crate) struct ProfileArgs {
    /// Tokens of the run: 1 for decoding, more for a prompt
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    tokens: u32,

    /// Tokens that the session holds before the run
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 0)]
    position: usize,

    /// Runs, of which medians are shown
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    /// One line for each step rather than for each kernel
    #[arg(long)]
    steps: bool,

    /// Print one object of JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    model: ModelArgs,
}

#[derive(Serialize)]
struct Json<'a> {
    backend: &'static str,
    device: &'a str,
    tokens: u32,
    position: usize,
    seconds: f64,
    kernels: &'a [KernelTime],
}

/// A line of the table: what several runs of a kernel took together.
#[derive(Debug, Default)]
struct Row {
    name: String,
    n_runs: usize,
    seconds: f64,
    weight_bytes: usize,
}

impl ProfileArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        let app = &app.quiet_if(self.json);
        self.profile(self.model.load(app)?.engine()?, app)
    }

    fn profile(&self, engine: &Engine, app: &App) -> Result<()> {
        let _working = app.interrupt.working();
        let options = ProfileOptions {
            n_tokens: self.tokens as usize,
            position: self.position,
            n_runs: self.repeat as usize,
        };
        let kernels = pollster::block_on(Probe::new(engine).profile(options, app.interrupt.cancel()))?;
        let device = engine.device();
        let seconds = kernels.iter().map(|k| k.seconds).sum();
        if self.json {
            let (tokens, position) = (self.tokens, self.position);
            let (backend, device) = (device.backend, device.name.as_str());
            return output::print_json(&Json {
                backend,
                device,
                tokens,
                position,
                seconds,
                kernels: &kernels,
            });
        }
        let rows = if self.steps { by_step(&kernels) } else { by_kernel(&kernels) };
        let head = format!(
            "{}: {}, {} at {}",
            device.backend,
            device.name,
            counted(self.tokens as usize, "token"),
            self.position
        );
        output::print_styled(&format!("{head}\n{}", table(&rows, seconds)))
    }
}

fn by_step(kernels: &[KernelTime]) -> Vec<Row> {
    let row = |k: &KernelTime| Row {
        name: format!("{:>3} {} ▸ {}", k.step, k.kernel, k.writes),
        n_runs: 1,
        seconds: k.seconds,
        weight_bytes: k.weight_bytes,
    };
    kernels.iter().map(row).collect()
}

/// The kernels, those that take longest first.
fn by_kernel(kernels: &[KernelTime]) -> Vec<Row> {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for kernel in kernels {
        let row = rows.entry(&kernel.kernel).or_default();
        row.n_runs += 1;
        row.seconds += kernel.seconds;
        row.weight_bytes += kernel.weight_bytes;
    }
    let mut rows: Vec<Row> =
        rows.into_iter().map(|(name, row)| Row { name: name.to_owned(), ..row }).collect();
    rows.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    rows
}

fn table(rows: &[Row], seconds: f64) -> String {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max(6);
    let head = format!("{:<width$} {:>5} {:>10} {:>7} {:>8}", "kernel", "runs", "ms", "share", "GB/s");
    let mut text = format!("{}\n", paint(BOLD, head));
    let total = Row {
        name: "total".to_owned(),
        n_runs: rows.iter().map(|row| row.n_runs).sum(),
        seconds,
        weight_bytes: rows.iter().map(|row| row.weight_bytes).sum(),
    };
    for row in rows.iter().chain([&total]) {
        let share = 100.0 * row.seconds / seconds.max(f64::MIN_POSITIVE);
        let rate = match row.weight_bytes {
            0 => String::new(),
            n_bytes => format!("{:.1}", n_bytes as f64 / row.seconds.max(f64::MIN_POSITIVE) / 1e9),
        };
        let Row { name, n_runs, seconds, .. } = row;
        let ms = seconds * 1e3;
        text.push_str(&format!("{name:<width$} {n_runs:>5} {ms:>10.3} {share:>6.1}% {rate:>8}\n"));
    }
    text
}
