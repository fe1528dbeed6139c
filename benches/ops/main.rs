//! Times every hot op, and a whole model with random weights, on the threaded CPU backend.
//!
//! `cargo run --release -p hala-benches --bin ops -- [ceilings|ops|groups|model]… [--threads N] [--group N]
//! [--instructions TEXT]`, the last for kernels of other instructions than the best: the first whose name contains the text
#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

use anyhow::{Context, Result, bail};
use hala_backend_cpu::{CpuBackend, Instructions};
use hala_benches::random::{Random, Sizes};
use hala_benches::session::{Sequences, Setup, Whose};
use hala_benches::{ceilings, timing};
use hala_model::LogitRows;
use hala_plan::Backend;
use hala_tensor::DType;

mod groups;
mod rows;

/// Runs of a model; the median is reported.
const N_RUNS: usize = 5;

/// Tokens of a prompt and of an answer.
const N_PREFILL: usize = 256;
const N_DECODE: usize = 64;

/// Sequences that decode side by side.
const N_TOGETHER: [usize; 5] = [1, 2, 4, 8, 16];

/// What was asked for.
#[derive(Debug)]
struct Choice {
    parts: Vec<String>,
    n_threads: usize,
    group: usize,
    instructions: Instructions,
}

impl Choice {
    fn parse() -> Result<Self> {
        let mut choice = Self {
            parts: Vec::new(),
            n_threads: 2,
            group: DType::INT8_GROUP,
            instructions: Instructions::best(),
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut number = || -> Result<usize> { Ok(args.next().context("a number is missing")?.parse()?) };
            match arg.as_str() {
                "--threads" => choice.n_threads = number()?,
                "--group" => choice.group = number()?,
                "ceilings" | "ops" | "groups" | "model" => choice.parts.push(arg),
                "--instructions" => choice.instructions = instructions(&args.next().unwrap_or_default())?,
                _ => bail!(
                    "{arg}: expected ceilings, ops, groups, model, --threads N, --group N or --instructions TEXT"
                ),
            }
        }
        Ok(choice)
    }

    fn wants(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|p| p == part)
    }
}

/// The first of this machine's whose name contains `text`.
fn instructions(text: &str) -> Result<Instructions> {
    let names: Vec<_> = Instructions::all().iter().map(ToString::to_string).collect();
    let found = Instructions::all().into_iter().find(|i| i.to_string().contains(text));
    found.with_context(|| format!("--instructions {text}: this machine has {}", names.join(", ")))
}

fn main() -> Result<()> {
    let choice = Choice::parse()?;
    let backend = CpuBackend::threaded_with(choice.n_threads, choice.instructions)?;
    println!("{}", backend.device().name);
    if choice.wants("ceilings") {
        println!("\nmemory read: {:.1} GB/s", backend.read_speed().unwrap_or_default() / 1e9);
        println!("f32 multiply-add: {:.0} GFLOP/s", ceilings::multiply_add(choice.n_threads) / 1e9);
    }
    if choice.wants("groups") {
        groups::print()?;
    }
    if choice.wants("ops") {
        rows::print(&backend, choice.group)?;
    }
    if choice.wants("model") {
        println!(
            "\n| model | weights | prefill({N_PREFILL}) tokens/s | decode({N_TOGETHER:?}) tokens/s, all rows together |"
        );
        println!("|---|---|---|{}", "---|".repeat(N_TOGETHER.len()));
        let int8 = DType::Int8 { group: choice.group };
        for dtype in [int8, DType::E4M3, DType::BF16] {
            model(&backend, dtype)?;
        }
    }
    Ok(())
}

/// A prompt, and sequences that decode side by side after prompts of that length.
fn model(backend: &CpuBackend, dtype: DType) -> Result<()> {
    let mut setup = Setup::new(backend);
    let n_positions = N_PREFILL + N_DECODE + 8;
    let model = Random::new(&mut setup, &Sizes::LFM2_350M, dtype, n_positions)?;
    let most = N_TOGETHER[N_TOGETHER.len() - 1];
    let plans =
        [model.plan(backend, N_PREFILL, LogitRows::Wanted(1))?, model.plan(backend, most, LogitRows::All)?];
    let bytes = plans[1].weight_bytes();
    let mut session = setup.finish(&plans, Sequences { n: most, n_positions })?;
    let ids: Vec<u32> = (0..N_PREFILL as u32).map(|i| i * 251 % 65536).collect();
    let prefill = N_PREFILL as f64 / timing::median(N_RUNS, || session.run(0, &ids, 0, Whose::One))?;
    print!("| 350M | {dtype}, {} MB | {prefill:.1} |", bytes / 1_000_000);
    for n in N_TOGETHER {
        let n_steps = N_DECODE / n.min(4);
        let decode = timing::median(N_RUNS, || -> Result<()> {
            (0..n_steps).try_for_each(|i| session.run(1, &ids[i..i + n], N_PREFILL + i, Whose::Each))
        })?;
        print!(" {:.1} |", (n * n_steps) as f64 / decode);
    }
    println!();
    Ok(())
}
