//! `hala devices`: what can run a model here, which of it `auto` takes, and why not the rest.

use anyhow::Result;
use clap::Args;
use hala::{BackendName, DeviceOptions, DeviceReport};
use hala_plan::Backend;
use serde::Serialize;

use crate::app::App;
use crate::output;
use crate::terminal::{self, BOLD, DIM, counted, paint};

/// Shows what can run a model on this machine, and which of it `--backend auto` takes.
///
/// A GPU runs a small model first, whose results are compared with the CPU's, and then the first tokens of its first model. Where the program
/// does not survive that, as with a faulty driver, or the results are wrong, later commands leave the GPU alone until its driver or Hala itself
/// changes. `--reset` forgets what was found out, and each GPU is tried as if it were new.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hala devices\n  hala devices --reset")]
pub(crate) struct DevicesArgs {
    /// Forget what was found out about GPUs
    #[arg(long)]
    reset: bool,

    /// Print one object of JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    cpu: Cpu,
    gpus: Vec<DeviceReport>,
    /// The GPU that `auto` takes; none where it takes the CPU.
    auto: Option<String>,
}

#[derive(Serialize)]
struct Cpu {
    device: String,
    threads: usize,
}

impl DevicesArgs {
    /// Runs the command.
    pub(crate) fn run(self, app: &App) -> Result<()> {
        if self.reset {
            let n = hala::forget_devices(&DeviceOptions::default())?;
            if !app.quiet {
                terminal::notice(&format!("{} forgotten", counted(n, "file")));
            }
        }
        let report = report()?;
        if self.json { output::print_json(&report) } else { output::print_styled(&words(&report)) }
    }
}

fn report() -> Result<Report> {
    let cpu = DeviceOptions { backend: BackendName::Cpu, ..DeviceOptions::default() };
    let cpu = pollster::block_on(cpu.open())?.backend;
    let gpus = pollster::block_on(hala::devices(&DeviceOptions::default()));
    let auto = gpus.iter().find(|gpu| gpu.unfit.is_none()).map(|gpu| gpu.device.clone());
    Ok(Report { cpu: Cpu { device: cpu.device().name.clone(), threads: cpu.n_threads() }, gpus, auto })
}

fn words(report: &Report) -> String {
    let Report { cpu: Cpu { device, threads }, gpus, auto } = report;
    let takes = |is_taken| paint(DIM, if is_taken { "  ◂ auto" } else { "" });
    let mut text = format!(
        "{}  {device}, {}{}\n",
        paint(BOLD, "cpu"),
        counted(*threads, "thread"),
        takes(auto.is_none())
    );
    for gpu in gpus {
        let is_taken = auto.as_ref() == Some(&gpu.device);
        text.push_str(&format!("{}  {}{}\n", paint(BOLD, "gpu"), gpu.device, takes(is_taken)));
        let mut line = |line: &str| text.push_str(&format!("     {line}\n"));
        if !gpu.driver.is_empty() {
            line(&format!("driver: {}", one_line(&gpu.driver)));
        }
        match &gpu.reason {
            Some(reason) => line(&format!("left alone: {reason}")),
            None if gpu.has_passed => line("its first run ended well"),
            None => line("not tried yet: its first run is guarded"),
        }
        for model in &gpu.models {
            let device = if model.unfit.is_some() { "on the CPU" } else { "on the GPU" };
            line(&format!("{} {device}: {}", model.model, model.reason));
        }
    }
    text
}

/// Some drivers tell of themselves in several lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
