//! Held-out rows, answered greedily by the model as it is: what people look at, and what translations are measured by.

use std::borrow::Cow;
use std::sync::Arc;

use hala_backend_cpu::CpuBackend;
use hala_engine::{
    Collecting, Draft, Engine, GenerateOptions, Generation, LoadOptions, Scheduler, SchedulerOptions,
};
use hala_eval::Chrf;
use hala_model::{Options, WeightFormat};
use hala_plan::Cancel;
use hala_text::{Message, Role};
use hala_weights::{Checkpoint, WEIGHTS_FILE};

use crate::config::SavedAs;
use crate::data::{ChatRow, Form, FormedRow, Row, first_rows};
use crate::error::TrainError;
use crate::run::base::Prepared;
use crate::run::event::Answer;
use crate::store::Named;

/// A held-out row that is asked at each evaluation.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    messages: Vec<Message>,
    expected: String,
    is_translation: bool,
    prompt: Vec<u32>,
}

/// What came of asking.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) answers: Vec<Answer>,
    /// chrF++ of the translations among them.
    pub(super) chrf: Option<f64>,
}

impl Asked {
    /// The rows that are asked: conversations that end with a reply and whose prompt has room.
    pub(super) fn rows(prepared: &Prepared) -> Result<Vec<Self>, TrainError> {
        let mut asked = Vec::new();
        let config = &prepared.config;
        if config.samples == 0 {
            return Ok(asked);
        }
        let keep = |row: &FormedRow| {
            let found = Self::of(prepared, row);
            let is_some = found.is_some();
            asked.extend(found);
            is_some
        };
        first_rows(&prepared.held_out_sources(), prepared.held_out_order(), config.samples, keep)?;
        Ok(asked)
    }

    fn of(prepared: &Prepared, FormedRow { form, row }: &FormedRow) -> Option<Self> {
        let Row::Chat(ChatRow { messages, tools, .. }) = row else { return None };
        let (reply, messages) = messages.split_last().filter(|(reply, _)| reply.role == Role::Assistant)?;
        let template = prepared.template.template(&prepared.tokenizer).ok()?;
        let prompt = prepared.tokenizer.chat_ids(template, &prepared.template.input(messages, tools)).ok()?;
        (prompt.len() < prepared.context).then(|| Self {
            messages: messages.to_vec(),
            expected: reply.content.clone(),
            is_translation: matches!(form, Form::Pairs(_)),
            prompt,
        })
    }
}

/// Answers all rows with these values.
///
/// # Errors
/// The model cannot be loaded or run.
pub(super) fn answer(
    prepared: &Prepared,
    parameters: &[Named<'_>],
    asked: &[Asked],
    cancel: &Cancel,
) -> Result<Answered, TrainError> {
    let engine = Arc::new(engine(prepared, parameters)?);
    let mut scheduler = Scheduler::new(Arc::clone(&engine), SchedulerOptions::default())?;
    let options = GenerateOptions {
        max_tokens: Some(prepared.config.sample_tokens),
        draft: Draft::Off,
        ..GenerateOptions::default()
    };
    let (mut answers, mut chrf, mut n_translations) = (Vec::new(), Chrf::default(), 0);
    for some in asked.chunks(scheduler.n_parallel()) {
        let begin = |one: &Asked| Generation::on(&engine, &one.prompt, &options, cancel).map(Collecting::new);
        let mut tasks = some.iter().map(begin).collect::<Result<Vec<_>, _>>()?;
        while tasks.iter().any(|task| !task.is_over()) {
            pollster::block_on(scheduler.step(&mut tasks))?;
        }
        for (one, task) in some.iter().zip(tasks) {
            let found = task.into_generation()?.finish()?.text;
            if one.is_translation {
                chrf.add(&found, &one.expected);
                n_translations += 1;
            }
            let asked = one.messages.last().map(|message| message.content.clone()).unwrap_or_default();
            answers.push(Answer { index: answers.len(), asked, expected: one.expected.clone(), found });
        }
    }
    Ok(Answered { answers, chrf: (n_translations > 0).then(|| chrf.score()) })
}

/// The model as it would be saved, ready to run.
fn engine(prepared: &Prepared, parameters: &[Named<'_>]) -> Result<Engine<CpuBackend>, TrainError> {
    let config = &prepared.config;
    let mut files: Vec<(String, Cow<'static, [u8]>)> = prepared
        .beside
        .files()
        .iter()
        .map(|(name, bytes)| (name.clone(), Cow::Owned(bytes.clone())))
        .collect();
    files.push((WEIGHTS_FILE.to_owned(), Cow::Owned(prepared.beside.weights(parameters)?)));
    let checkpoint = Checkpoint::from_files(files)?;
    let weights = match config.save_as {
        SavedAs::Bf16 => WeightFormat::BF16,
        SavedAs::F32 => WeightFormat::F32,
    };
    let room = prepared.context + config.sample_tokens;
    let limit = checkpoint.config()?.usize(&["max_position_embeddings"])?.unwrap_or(room);
    let model = Options { context: Some(room.min(limit)), ..Options::default() };
    let backend = CpuBackend::threaded(config.threads)?;
    Ok(Engine::load(backend, &checkpoint, LoadOptions { weights, model }, |_| true)?)
}
