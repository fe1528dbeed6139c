//! Times decoding with drafts by look-up and without, in pairs.
//!
//! `cargo run --release -p hala-benches --bin drafts -- [350M|built-in]… [--threads N] [--pairs N] [--prompt N] [--generate N]`
//!
//! The 350M has random weights, int8, and writes what a script says: the logits of its runs are led, all else is computed. The built-in model writes what it
//! writes after a text that goes round.
#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

mod texts;

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use hala_backend_cpu::CpuBackend;
use hala_benches::random::{self, Sizes};
use hala_benches::timing;
use hala_engine::{Draft, Engine, GenerateOptions, Generated, Generation, LoadOptions, Session};
use hala_model::{Options, WeightFormat};
use hala_plan::{Backend, Cancel};
use hala_tests::scripted::Scripted;
use hala_weights::Checkpoint;
use pollster::block_on;

use texts::Text;

/// Raises the script's token above all others.
const CERTAIN: f32 = 1e6;

/// What was asked for.
#[derive(Debug)]
struct Choice {
    models: Vec<String>,
    n_threads: usize,
    n_pairs: usize,
    n_prompt: usize,
    n_generate: usize,
}

impl Choice {
    fn parse() -> Result<Self> {
        let mut choice =
            Self { models: Vec::new(), n_threads: 2, n_pairs: 5, n_prompt: 256, n_generate: 256 };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut number = || -> Result<usize> { Ok(args.next().context("a number is missing")?.parse()?) };
            match arg.as_str() {
                "--threads" => choice.n_threads = number()?,
                "--pairs" => choice.n_pairs = number()?,
                "--prompt" => choice.n_prompt = number()?,
                "--generate" => choice.n_generate = number()?,
                "350M" | "built-in" => choice.models.push(arg),
                _ => bail!("{arg} is not known; the first lines of benches/drafts/main.rs have what is"),
            }
        }
        Ok(choice)
    }

    fn wants(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|m| m == model)
    }
}

fn main() -> Result<()> {
    let choice = Choice::parse()?;
    let backend = || CpuBackend::threaded(choice.n_threads);
    println!("{}; pairs: {}", backend()?.device().name, choice.n_pairs);
    println!(
        "\n| model | text | off, tokens/s | auto | look-up | auto ÷ off, median (least to most) | right and wrong drafts |"
    );
    println!("|---|---|---|---|---|---|---|");
    if choice.wants("350M") {
        let engine = random_350m(Scripted::new(backend()?, Vec::new(), CERTAIN), &choice)?;
        for text in texts::all(choice.n_prompt, choice.n_generate, engine.model().facts().n_vocab) {
            engine.backend().set_script(text.script.clone());
            compare(&engine, "350M int8", &text, &choice)?;
        }
    }
    if choice.wants("built-in") {
        let checkpoint = Checkpoint::from_files(hala_demo_model::files())?;
        let engine = Arc::new(Engine::load(backend()?, &checkpoint, LoadOptions::default(), |_| true)?);
        for text in texts::in_words(engine.tokenizer()?)? {
            compare(&engine, "built-in", &text, &choice)?;
        }
    }
    Ok(())
}

fn random_350m<B: Backend>(backend: B, choice: &Choice) -> Result<Arc<Engine<B>>> {
    let (mut checkpoint, file) = random::checkpoint(&Sizes::LFM2_350M)?;
    let model = Options { context: Some(choice.n_prompt + choice.n_generate), ..Options::default() };
    let options = LoadOptions { weights: WeightFormat::Int8, model };
    Ok(Arc::new(block_on(Engine::load_from(backend, &mut checkpoint, &file, options, |_| true))?))
}

/// Prints a row: each pair decodes the same text off, by look-up and measured, one after the other.
fn compare<B: Backend>(engine: &Arc<Engine<B>>, model: &str, text: &Text, choice: &Choice) -> Result<()> {
    const MODES: [Draft; 3] = [Draft::Off, Draft::Lookup, Draft::Auto];
    let (mut speeds, mut ratios) = ([(); 3].map(|()| Vec::new()), Vec::new());
    let mut last = None;
    for pair in 0..=choice.n_pairs {
        let mut pass = [0.0; 3];
        for (speed, draft) in pass.iter_mut().zip(MODES) {
            let generated = generate(engine, text, draft, choice.n_generate)?;
            *speed = generated.usage.decode_speed(&generated.timings);
            last = Some(generated.usage.completion_tokens_details);
        }
        // The first warms up.
        if pair > 0 {
            speeds.iter_mut().zip(pass).for_each(|(speeds, speed)| speeds.push(speed));
            ratios.push(pass[2] / pass[0]);
        }
    }
    let [off, lookup, auto] = speeds.map(timing::middle);
    ratios.sort_by(f64::total_cmp);
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    let drafts = last.unwrap_or_default();
    println!(
        "| {model} | {} | {off:.1} | {auto:.1} | {lookup:.1} | {:.2} ({least:.2} to {most:.2}) | {} and {} |",
        text.name,
        timing::middle(ratios),
        drafts.accepted_prediction_tokens,
        drafts.rejected_prediction_tokens
    );
    Ok(())
}

/// Each text in a session of its own, so that nothing measured before is of use.
fn generate<B: Backend>(engine: &Arc<Engine<B>>, text: &Text, draft: Draft, n: usize) -> Result<Generated> {
    let options =
        GenerateOptions { draft, max_tokens: Some(n), ignore_eos: true, ..GenerateOptions::default() };
    let mut session = block_on(Session::new(Arc::clone(engine)))?;
    let generation = Generation::new(&session, &text.prompt, &options, &Cancel::new())?;
    Ok(block_on(generation.run(&mut session))?)
}
