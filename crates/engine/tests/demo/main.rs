//! The engine on the built-in model: sessions, streams, chat and translation as an app uses them.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod chat;
mod files;
mod generate;
mod reader;
mod session;
mod translate;

use std::sync::{Arc, OnceLock};

use hala_backend_cpu::CpuBackend;
use hala_engine::{Engine, LoadOptions, Probe, ProbeRun, SchedulerOptions, Session, Translator};
use hala_model::Options;
use hala_plan::Cancel;
use hala_text::Bos;
use hala_weights::Checkpoint;
use pollster::block_on;

type Cpu = Engine<CpuBackend>;

fn load(context: Option<usize>) -> Arc<Cpu> {
    let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
    let model = Options { context, ..Options::default() };
    let options = LoadOptions { model, ..LoadOptions::default() };
    Arc::new(Engine::load(CpuBackend::threaded(2).unwrap(), &checkpoint, options, |_| true).unwrap())
}

fn engine() -> Arc<Cpu> {
    static ENGINE: OnceLock<Arc<Cpu>> = OnceLock::new();
    Arc::clone(ENGINE.get_or_init(|| load(None)))
}

fn session() -> Session<CpuBackend> {
    block_on(Session::new(engine())).unwrap()
}

fn translator(engine: Arc<Cpu>) -> Translator<CpuBackend> {
    Translator::new(engine, SchedulerOptions::default()).unwrap()
}

/// Ids that mean nothing, all inside of the vocabulary.
fn ids(n: usize, seed: usize) -> Vec<u32> {
    (0..n).map(|i| ((i * 7919 + seed * 104_729 + 13) % 8000) as u32).collect()
}

fn prompt(text: &str) -> Vec<u32> {
    let text = format!(
        "<|im_start|>user\nTranslate everything that follows into Arabic:\n\n{text}<|im_end|>\n<|im_start|>assistant\n"
    );
    engine().tokenizer().unwrap().encode(&text, Bos::Auto).unwrap()
}

#[test]
fn a_trace_shows_every_step_with_its_numbers() {
    let (plan, steps) =
        block_on(Probe::new(&engine()).trace(&ProbeRun::of_prompts(&[&[1, 6, 578]]), &Cancel::new()))
            .unwrap();
    assert_eq!(steps.len(), plan.steps().len());
    let last = steps.last().unwrap();
    assert_eq!((last.op, last.outputs[0].shape.as_slice()), ("matmul", &[3, 8192][..]));
    assert!(steps.iter().flat_map(|s| &s.outputs).all(|o| o.n_not_finite == 0 && o.min <= o.max));
}

#[test]
fn loading_can_be_stopped() {
    let checkpoint = Checkpoint::from_files(hala_demo_model::files()).unwrap();
    let mut n = 0;
    let stop = |_: hala_engine::LoadProgress<'_>| {
        n += 1;
        n < 5
    };
    let error = Engine::load(CpuBackend::plain(), &checkpoint, LoadOptions::default(), stop).unwrap_err();
    assert!(error.is_cancelled());
    assert_eq!(n, 5);
}
