//! What a run would be, in words or as JSON.

use anyhow::Result;
use hala_train::run::{DryRun, Prepared};
use serde_json::json;

use super::watch::duration;
use crate::output;
use crate::terminal::{BOLD, DIM, bytes, count, counted, paint};

/// Prints it.
pub(super) fn print(prepared: &Prepared, found: &DryRun, json: bool) -> Result<()> {
    if json {
        return output::print_json(&as_json(found));
    }
    let mut text = data(found);
    text += &run(prepared, found);
    text += &memory(found);
    text += &parameters(found);
    output::print_styled(&text)
}

fn row(what: &str, value: &str) -> String {
    format!("{} {value}\n", paint(BOLD, format!("{what:<12}")))
}

fn data(found: &DryRun) -> String {
    let counts = &found.counts;
    let mut text = row(
        "rows",
        &format!("{}, {}", count(counts.n_rows as usize), counted(counts.n_documents as usize, "document")),
    );
    for (kind, n) in &counts.refused {
        text += &row("left out", &format!("{} {}", count(*n as usize), kind.words()));
    }
    let share = 100.0 * counts.supervised_share();
    text += &row(
        "tokens",
        &format!("{} an epoch, {share:.1} % of them supervised", count(counts.n_ids as usize)),
    );
    text
}

fn run(prepared: &Prepared, found: &DryRun) -> String {
    let rows = counts_mean(found);
    let config = prepared.config();
    let steps = format!(
        "{} of {}; a batch has {rows:.0} of {} rows",
        count(found.n_steps as usize),
        counted(config.accumulation, "batch"),
        count(config.batch_rows)
    );
    let epochs = found.n_run_batches as f64 / found.n_batches.max(1) as f64;
    let time =
        format!("{}, at {} rows/s", duration(found.seconds()), count(found.probe.rows_per_second as usize));
    row("steps", &steps) + &row("epochs", &format!("{epochs:.2}")) + &row("time", &time)
}

/// Rows of a batch, on average.
fn counts_mean(found: &DryRun) -> f64 {
    found.counts.n_batch_rows as f64 / found.n_batches.max(1) as f64
}

fn memory(found: &DryRun) -> String {
    let needs = &found.needs;
    let free = found.available.map_or_else(String::new, |n| format!(" of {} that are free", bytes(n)));
    let parts = format!(
        "parameters, gradients and moments {}, activations {}, the rest {}",
        bytes(needs.state_bytes),
        bytes(needs.activation_bytes),
        bytes(needs.other_bytes)
    );
    row("memory", &format!("{}{free}: {parts}", bytes(needs.n_bytes())))
}

fn parameters(found: &DryRun) -> String {
    let mut text =
        row("parameters", &format!("{}, of which matrices decay:", count(found.needs.n_parameters)));
    let width = found.parameters.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    for (name, dims, decays) in &found.parameters {
        let dims = dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
        let decays = if *decays { "decays" } else { "" };
        text += &format!("  {name:<width$}  {:<16} {}\n", dims, paint(DIM, decays));
    }
    text
}

fn as_json(found: &DryRun) -> serde_json::Value {
    let counts = &found.counts;
    let parameters: Vec<_> = found
        .parameters
        .iter()
        .map(|(name, dims, decays)| json!({ "name": name, "dims": dims, "decays": decays }))
        .collect();
    json!({
        "rows": counts.n_rows,
        "documents": counts.n_documents,
        "left_out": counts.refused,
        "tokens": counts.n_ids,
        "supervised": counts.n_supervised,
        "batches": found.n_batches,
        "steps": found.n_steps,
        "parameters": parameters,
        "memory": {
            "states": found.needs.state_bytes,
            "activations": found.needs.activation_bytes,
            "other": found.needs.other_bytes,
            "total": found.needs.n_bytes(),
            "available": found.available,
        },
        "seconds": found.seconds(),
        "rows_per_second": found.probe.rows_per_second,
    })
}
