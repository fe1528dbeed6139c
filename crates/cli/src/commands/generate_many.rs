//! Texts after several prompts, or several after one, generated at once and printed in their order.

use std::collections::VecDeque;

use anyhow::Result;
use hala::{Engine, FinishReason, GenerateOptions, Runtime};
use hala_engine::{Collecting, Generation, Piece};
use serde::Serialize;

use super::generated_json::{self, LogprobJson, logprob_json};
use crate::app::App;
use crate::failure::Interrupted;
use crate::output;
use crate::terminal::{DIM, paint};

/// Texts that are begun for each that runs at once: those behind a long one go on.
const BEGUN: usize = 4;

/// What is generated.
pub(super) struct Jobs<'a> {
    /// Token ids.
    pub(super) prompts: &'a [Vec<u32>],
    /// Texts for each prompt.
    pub(super) n: u32,
    pub(super) options: &'a GenerateOptions,
}

/// One of the texts in JSON.
#[derive(Serialize)]
struct Json<'a> {
    /// Which prompt, from 0, and which of its texts.
    prompt: usize,
    choice: u32,
    #[serde(flatten)]
    generated: generated_json::Json<'a>,
}

/// A text on its way.
struct Begun {
    prompt: usize,
    choice: u32,
    options: GenerateOptions,
    task: Collecting,
    pieces: Vec<Piece>,
}

/// Generates all texts; stops early when interrupted, after the last whole text in their order.
///
/// # Errors
/// A prompt that does not fit the context, a lost device, Ctrl-C.
pub(super) async fn run(runtime: &mut Runtime, jobs: &Jobs<'_>, json: bool, app: &App) -> Result<()> {
    let _working = app.interrupt.working();
    let n_parallel = runtime.scheduler()?.n_parallel();
    let mut waiting =
        (0..jobs.prompts.len()).flat_map(|prompt| (0..jobs.n).map(move |choice| (prompt, choice)));
    let mut begun: VecDeque<Begun> = VecDeque::new();
    loop {
        let n_running = |begun: &VecDeque<Begun>| begun.iter().filter(|one| !one.task.is_over()).count();
        while begun.len() < BEGUN * n_parallel && n_running(&begun) < n_parallel {
            let Some((prompt, choice)) = waiting.next() else { break };
            begun.push_back(begin(runtime.engine()?, jobs, prompt, choice, app)?);
        }
        while begun.front().is_some_and(|one| one.task.is_over()) {
            let Some(one) = begun.pop_front() else { break };
            show(runtime.engine()?, one, json)?;
        }
        app.interrupt.check()?;
        if begun.is_empty() {
            return Ok(());
        }
        let mut tasks: Vec<&mut Collecting> = begun.iter_mut().map(|one| &mut one.task).collect();
        runtime.step_tasks(&mut tasks).await?;
        for one in &mut begun {
            one.pieces.extend(one.task.pieces());
        }
    }
}

fn begin(engine: &Engine, jobs: &Jobs<'_>, prompt: usize, choice: u32, app: &App) -> Result<Begun> {
    let options = jobs.options.of_choice(choice.into());
    let generation = Generation::on(engine, &jobs.prompts[prompt], &options, app.interrupt.cancel())?;
    Ok(Begun { prompt, choice, options, task: Collecting::new(generation), pieces: Vec::new() })
}

/// Prints a text that is whole.
fn show(engine: &Engine, one: Begun, json: bool) -> Result<()> {
    let Begun { prompt, choice, options, task, pieces } = one;
    let generated = task.into_generation()?.finish()?;
    if generated.finish == FinishReason::Cancelled {
        return Err(Interrupted.into());
    }
    if !json {
        let head = paint(DIM, format!("prompt {}, text {}", prompt + 1, choice + 1));
        output::print_styled(&format!("{head}\n"))?;
        let ids = || generated.ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
        return match engine.tokenizer() {
            Ok(_) => output::print_line(&generated.text),
            Err(_) => output::print_line(&ids()),
        };
    }
    let logprobs: Vec<LogprobJson> =
        pieces.iter().filter_map(|piece| piece.logprobs.as_ref()).map(|l| logprob_json(engine, l)).collect();
    let generated = generated_json::Json::new(&generated, &options, &logprobs);
    output::print_json(&Json { prompt, choice, generated })
}
