//! The memory that is told before a model is loaded, against the bytes that are allocated. One test alone, since the count is of all threads.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod tokenizers;

use std::sync::Arc;

use hala::{
    BackendName, Cancel, DeviceOptions, Engine, Estimate, Event, ModelSource, Options, RuntimeOptions,
    Session, WeightFormat,
};
use hala_tensor::DType;
use hala_tests::counting::{Counting, held, most_during};
use hala_tests::fixtures::Fixture;
use pollster::block_on;

#[global_allocator]
static COUNTING: Counting = Counting;

/// What the names, settings and the chunk that is being encoded take: much of a fixture, and less than its largest weights.
const BESIDES: usize = 64 << 10;

/// How far an estimate may be above what is taken. The largest weight is rarely the last one, and a matrix of floats is not repacked: of
/// fixtures, the largest is half of all.
const MOST_ABOVE: f64 = 1.5;

/// The same for the built-in model.
const MOST_ABOVE_BUILT_IN: f64 = 1.25;

/// A session is told of at most so much more than it takes: its pool has room for 64 earlier states, and for the rows of a prompt behind a window.
const MOST_ABOVE_SESSION: f64 = 1.1;

/// Bytes of a session beside its pool and its logits: ids, tables.
const BESIDES_SESSION: usize = 24 << 10;

/// Codes of a matrix so large are mapped on Linux, not allocated.
const MAPPED: usize = if cfg!(target_os = "linux") { 2 << 20 } else { usize::MAX };

/// S of the sessions: part of a page, some pages, and the default.
const CONTEXTS: [Option<usize>; 3] = [Some(40), Some(300), None];

/// Checks that what was told is no less than what was taken, and not much more.
#[track_caller]
fn check(what: &str, told: usize, taken: usize, besides: usize, most_above: f64) {
    assert!(told + besides >= taken, "{what}: told {told}, taken {taken}");
    assert!(told as f64 <= most_above * taken as f64, "{what}: told {told}, taken {taken}");
}

fn options(weights: WeightFormat, context: Option<usize>) -> RuntimeOptions {
    let device = DeviceOptions { backend: BackendName::Cpu, n_threads: 1, ..DeviceOptions::default() };
    let model = Options { context, ..Options::default() };
    RuntimeOptions { device, weights, model, ..RuntimeOptions::default() }
}

/// Loads a model, and checks the most that was allocated meanwhile.
fn loaded(source: &ModelSource, options: &RuntimeOptions) -> (Engine, Estimate) {
    let checkpoint = source.clone().open(&mut |_: Event<'_>| {}, options).unwrap();
    let estimate = Estimate::of(&checkpoint, options).unwrap();
    let chosen = block_on(options.device.open()).unwrap();
    let load = || hala::load(chosen.backend, &checkpoint, options, &mut |_: Event<'_>| {}).unwrap();
    let (engine, taken) = most_during(load);
    let what = format!("{source:?} as {}, at the peak", options.weights);
    let (besides, most_above) = match source {
        ModelSource::BuiltIn => (0, MOST_ABOVE_BUILT_IN),
        _ => (BESIDES, MOST_ABOVE),
    };
    check(&what, estimate.peak_bytes(), taken + mapped(&engine), besides, most_above);
    (engine, estimate)
}

/// Bytes of the codes that are mapped, which no allocator counts.
fn mapped(engine: &Engine) -> usize {
    let weights = engine.model().weights().iter().zip(engine.dtypes());
    let codes = weights.map(|(weight, dtype)| match dtype {
        DType::Int8 { .. } | DType::E4M3 => weight.shape.n_elements(),
        DType::Int4 { .. } => weight.shape.n_elements() / 2,
        DType::F16 | DType::BF16 => weight.shape.n_elements() * 2,
        DType::F32 | DType::U32 => 0,
    });
    codes.filter(|n| *n >= MAPPED).sum()
}

/// Fills a session's context, and checks what its pool says and what is freed with it.
fn check_session(what: &str, engine: Engine, estimate: &Estimate) {
    let engine = Arc::new(engine);
    let ids = vec![1; engine.model().facts().context];
    let mut session = block_on(Session::new(Arc::clone(&engine))).unwrap();
    block_on(session.prefill(&ids, &Cancel::new())).unwrap();
    let (told, pool, before) = (estimate.sequence_bytes, session.pool_bytes(), held());
    check(&format!("{what}, the pool"), told, pool, 0, MOST_ABOVE_SESSION);
    drop(session);
    let freed = before - held();
    let besides = engine.model().facts().n_vocab * size_of::<f32>() + BESIDES_SESSION;
    check(&format!("{what}, freed"), told, freed, besides, MOST_ABOVE_SESSION);
}

/// Checks a model in every format, and its sessions of several contexts in the first.
fn check_model(source: &ModelSource) {
    for weights in WeightFormat::ALL {
        let contexts = if weights == WeightFormat::Auto { &CONTEXTS[..] } else { &[None] };
        for context in contexts {
            let (engine, estimate) = loaded(source, &options(weights, *context));
            if weights == WeightFormat::Auto {
                check_session(&format!("{source:?} of {context:?} tokens"), engine, &estimate);
            }
        }
    }
}

#[test]
fn what_is_told_before_is_what_is_taken() {
    tokenizers::check_all();
    check_model(&ModelSource::BuiltIn);
    for (family, name) in [("lfm2", "four-layer"), ("gemma2", "no-caps"), ("cohere2", "four-layer")] {
        check_model(&ModelSource::Path(Fixture::new(family, name).path));
    }
}
