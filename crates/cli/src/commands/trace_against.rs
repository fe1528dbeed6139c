//! `hala trace --against`: every step beside the same of the CPU in plain loops, and the first that departs.

use anyhow::Result;
use hala::Engine;
use hala_engine::{BufferComparison, Comparison, Probe, ProbeRun, StepComparison};
use hala_plan::Device;
use serde::Serialize;

use crate::app::App;
use crate::failure::Departed;
use crate::output;
use crate::progress::WorkBar;
use crate::terminal::{BOLD, ERROR, counted, paint};

#[derive(Serialize)]
struct Json<'a> {
    backend: &'static str,
    device: &'a str,
    against: &'a str,
    ids: &'a [&'a [u32]],
    #[serde(flatten)]
    comparison: &'a Comparison,
    agrees: bool,
    first_departure: Option<First<'a>>,
}

#[derive(Serialize)]
struct First<'a> {
    step: usize,
    op: &'static str,
    #[serde(flatten)]
    buffer: &'a BufferComparison,
}

/// Compares a run on an engine with the same on the plain CPU, and prints what was found.
///
/// # Errors
/// [`Departed`] where a step departs; what the engines refuse; Ctrl-C.
pub(super) fn compare(
    engine: &Engine,
    reference: &Engine,
    run: &ProbeRun<'_>,
    app: &App,
    is_json: bool,
) -> Result<()> {
    let comparison = {
        let _working = app.interrupt.working();
        let mut bar = WorkBar::new(app);
        let on_step = |n_done: usize, n_total: usize| {
            let (n_done, n_total) = (n_done as u64, n_total as u64);
            bar.update(hala_compress::Progress { n_done, n_total, what: "comparing" });
        };
        let cancel = app.interrupt.cancel();
        pollster::block_on(Probe::new(engine).compare(reference, run, cancel, on_step))?
    };
    let devices = [engine.device(), reference.device()];
    if is_json {
        output::print_json(&json(&comparison, run, devices))?;
    } else {
        output::print_styled(&text(&comparison, devices))?;
    }
    if comparison.first_departure().is_some() { Err(Departed.into()) } else { Ok(()) }
}

fn json<'a>(
    comparison: &'a Comparison,
    run: &'a ProbeRun<'_>,
    [found, reference]: [&'a Device; 2],
) -> Json<'a> {
    let first = comparison.first_departure();
    Json {
        backend: found.backend,
        device: &found.name,
        against: &reference.name,
        ids: run.prompts,
        comparison,
        agrees: first.is_none(),
        first_departure: first.map(|at| First { step: at.step.step, op: at.step.op, buffer: at.buffer }),
    }
}

/// A line for each buffer that a step wrote, and the verdict.
fn text(comparison: &Comparison, [found, reference]: [&Device; 2]) -> String {
    let mut text = format!(
        "{} of {} in a Plan of {}, {}: {}\nagainst {}: {}\n",
        comparison.run,
        counted(comparison.n_rows, "row"),
        comparison.n_tokens,
        found.backend,
        found.name,
        reference.backend,
        reference.name,
    );
    let head = format!(
        "{:>4}  {:<10}  {:<28} {:>12} {:>9} {:>9}  {}",
        "step", "op", "writes", "shape", "error", "allowed", "furthest off"
    );
    text.push_str(&format!("{}\n", paint(BOLD, head)));
    comparison.steps.iter().for_each(|step| rows(step, &mut text));
    text.push_str(&verdict(comparison));
    text
}

fn rows(step: &StepComparison, text: &mut String) {
    for (i, buffer) in step.outputs.iter().enumerate() {
        let (idx, op) = if i == 0 { (step.step.to_string(), step.op) } else { (String::new(), "") };
        let BufferComparison { label, n_rows, n_columns, error, allowed, worst, .. } = buffer;
        let shape = format!("{n_rows}×{n_columns}");
        let place = worst.filter(|_| *error > 0.0).map(|worst| worst.to_string()).unwrap_or_default();
        let row =
            format!("{idx:>4}  {op:<10}  {label:<28} {shape:>12} {error:>9.1e} {allowed:>9.1e}  {place}");
        let row = if buffer.departs() { paint(ERROR, row).to_string() } else { row };
        text.push_str(&format!("{}\n", row.trim_end()));
    }
}

fn verdict(comparison: &Comparison) -> String {
    if let Some(first) = comparison.first_departure() {
        let n =
            comparison.steps.iter().filter(|step| step.outputs.iter().any(BufferComparison::departs)).count();
        let place = first
            .buffer
            .worst
            .map(|worst| format!(" (prompt {}, position {})", worst.prompt, worst.position));
        return format!("{first}{}; {} of {} depart\n", place.unwrap_or_default(), n, comparison.steps.len());
    }
    let furthest = comparison.furthest().map(|at| {
        let share = 100.0 * at.buffer.share;
        format!(
            ": step {}, {} {}, comes nearest to it with {share:.0} %",
            at.step.step, at.step.op, at.buffer.label
        )
    });
    format!("every step agrees within what is allowed{}\n", furthest.unwrap_or_default())
}
