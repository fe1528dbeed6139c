//! Times what a GPU can do at most, every step of a model with random weights on it, and the whole model.
//!
//! `cargo run --release -p hala-benches --bin gpu -- [ceilings|steps|model]… [--adapter NAME] [--model 350M|1.2B|1.7B]…
//! [--weights int8|e4m3|f16|bf16|f32]… [--prompt N] [--generate N] [--parallel N]… [--runs N]`
#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

mod ceilings;
mod steps;

use anyhow::{Context, Result, bail};
use hala_backend_wgpu::{AdapterChoice, AdapterReport, WgpuBackend};
use hala_benches::random::{Random, Sizes};
use hala_benches::session::{Sequences, Session, Setup, Whose};
use hala_benches::timing;
use hala_model::LogitRows;
use hala_plan::{Backend, Plan};
use hala_tensor::DType;

use ceilings::Ceilings;
use steps::Profiled;

/// What was asked for.
#[derive(Debug)]
struct Choice {
    parts: Vec<String>,
    adapter: String,
    models: Vec<Sizes>,
    weights: Vec<DType>,
    n_prompt: usize,
    n_generate: usize,
    /// Sequences that decode side by side.
    parallel: Vec<usize>,
    n_runs: usize,
}

impl Choice {
    fn parse() -> Result<Self> {
        let mut choice = Self {
            parts: Vec::new(),
            adapter: String::new(),
            models: Vec::new(),
            weights: Vec::new(),
            n_prompt: 256,
            n_generate: 64,
            parallel: Vec::new(),
            n_runs: 5,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg}: a value is missing"));
            match arg.as_str() {
                "--adapter" => choice.adapter = value()?,
                "--model" => choice.models.push(sizes(&value()?)?),
                "--weights" => choice.weights.push(weights(&value()?)?),
                "--prompt" => choice.n_prompt = value()?.parse()?,
                "--generate" => choice.n_generate = value()?.parse()?,
                "--parallel" => choice.parallel.push(value()?.parse()?),
                "--runs" => choice.n_runs = value()?.parse()?,
                "ceilings" | "steps" | "model" => choice.parts.push(arg),
                _ => bail!("{arg} is not known; the first lines of benches/gpu/main.rs have what is"),
            }
        }
        if choice.models.is_empty() {
            choice.models = vec![Sizes::LFM2_350M, Sizes::LFM2_1_2B];
        }
        if choice.parallel.is_empty() {
            choice.parallel = vec![1];
        }
        if choice.weights.is_empty() {
            choice.weights = vec![DType::Int8 { group: DType::INT8_GROUP }, DType::E4M3];
        }
        Ok(choice)
    }

    fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|p| p == part)
    }

    fn report(&self) -> Result<AdapterReport> {
        let found = pollster::block_on(hala_backend_wgpu::adapters());
        let is_wanted =
            |report: &AdapterReport| report.name.to_lowercase().contains(&self.adapter.to_lowercase());
        found.into_iter().find(is_wanted).context("there is no such adapter")
    }
}

fn sizes(name: &str) -> Result<Sizes> {
    Sizes::ALL
        .into_iter()
        .find(|sizes| sizes.name == name)
        .with_context(|| format!("no model is called {name}"))
}

fn weights(name: &str) -> Result<DType> {
    Ok(match name {
        "int8" => DType::Int8 { group: DType::INT8_GROUP },
        "int4" => DType::Int4 { group: DType::INT4_GROUP },
        "e4m3" => DType::E4M3,
        "f16" => DType::F16,
        "bf16" => DType::BF16,
        "f32" => DType::F32,
        _ => bail!("no weights are called {name}"),
    })
}

fn main() -> Result<()> {
    let choice = Choice::parse()?;
    let report = choice.report()?;
    println!("{}: {}, {}, {}", report.name, report.kind, report.interface, report.driver);
    let ceilings = ceilings::measure(&report)?;
    let Ceilings { read, copy, flops } = ceilings;
    println!("\nmemory read: {:.1} GB/s; copied, read and written: {:.1} GB/s", read / 1e9, copy / 1e9);
    println!("f32 multiply-add: {:.0} GFLOP/s", flops / 1e9);
    if !choice.wants("steps") && !choice.wants("model") {
        return Ok(());
    }
    let backend = pollster::block_on(WgpuBackend::new(&AdapterChoice::Named(report.name)))?;
    let mut speeds = Vec::new();
    for sizes in &choice.models {
        for dtype in &choice.weights {
            speeds.extend(measure(&backend, &choice, ceilings, (sizes, *dtype))?);
        }
    }
    if !speeds.is_empty() {
        let Choice { n_prompt, n_generate, .. } = choice;
        println!(
            "\n| model | weights | prefill({n_prompt}) | decode({n_generate}), by sequences, tokens/s |"
        );
        println!("|---|---|---|---|\n{}", speeds.join("\n"));
    }
    Ok(())
}

/// Profiles a model's Plans, and gives the line of its speeds where that is wanted.
fn measure(
    backend: &WgpuBackend,
    choice: &Choice,
    ceilings: Ceilings,
    (sizes, dtype): (&Sizes, DType),
) -> Result<Option<String>> {
    let Choice { n_prompt, n_generate, n_runs, .. } = *choice;
    let mut setup = Setup::new(backend);
    let n_positions = n_prompt.next_multiple_of(512) + n_generate;
    let model = Random::new(&mut setup, sizes, dtype, n_positions)?;
    // A prompt goes in chunks of the largest Plan that it fills.
    let fitting = backend.prefill_sizes().iter().filter(|size| **size <= n_prompt).max();
    let n_chunk = *fitting.unwrap_or(&backend.prefill_sizes()[0]);
    let mut plans = vec![model.plan(backend, n_chunk, LogitRows::Wanted(1))?];
    for n in &choice.parallel {
        plans.push(model.plan(backend, *n, LogitRows::All)?);
    }
    let n = choice.parallel.iter().copied().max().unwrap_or(1);
    let mut session = setup.finish(&plans, Sequences { n, n_positions })?;
    if choice.wants("steps") {
        steps::print_head();
        let name = format!("{} {dtype}", sizes.name);
        for (index, plan) in plans.iter().enumerate().rev() {
            let (position, whose) = if index == 0 { (0, Whose::One) } else { (n_prompt, Whose::Each) };
            Profiled { name: &name, plan, index, position, n_runs, whose }.print(&mut session, ceilings)?;
        }
    }
    let line = || speeds(&mut session, choice, &plans, n_chunk);
    let line = choice.wants("model").then(line).transpose()?;
    Ok(line.map(|speeds| format!("| {} | {dtype}, {speeds} |", sizes.name)))
}

/// Bytes, and tokens a second of prefill and of decoding, as cells of a table.
fn speeds<B: Backend>(
    session: &mut Session<'_, B>,
    choice: &Choice,
    plans: &[Plan],
    n_chunk: usize,
) -> Result<String> {
    let Choice { n_prompt, n_generate, n_runs, .. } = *choice;
    let ids: Vec<u32> = (0..n_prompt.max(n_generate) as u32).map(|i| i * 251 % 65536).collect();
    let prefill = timing::median(n_runs, || -> Result<()> {
        for (i, ids) in ids[..n_prompt].chunks(n_chunk).enumerate() {
            session.run(0, ids, i * n_chunk, Whose::One)?;
        }
        session.logits(0).map(drop)
    })?;
    let n_bytes = plans[0].weight_bytes();
    let mut cells = vec![format!("{} MB | {:.2} |", n_bytes / 1_000_000, n_prompt as f64 / prefill)];
    for (i, n) in choice.parallel.iter().enumerate() {
        let seconds = timing::median(n_runs, || -> Result<()> {
            for (step, id) in ids[..n_generate].iter().enumerate() {
                session.run(i + 1, &vec![*id; *n], n_prompt + step, Whose::Each)?;
                session.logits(i + 1)?;
            }
            Ok(())
        })?;
        let decode = (n * n_generate) as f64 / seconds;
        let rate = n_bytes as f64 * decode / *n as f64 / 1e9;
        cells.push(format!("{n}: {decode:.2} ({rate:.2} GB/s)"));
    }
    Ok(cells.join(" "))
}
