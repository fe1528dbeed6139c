//! The memory that is told before a model is loaded, against the bytes that are allocated. One test alone, since the count is of all threads.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::sync::Arc;

use hala::{
    BackendName, Cancel, DeviceOptions, Engine, Estimate, Event, ModelSource, RuntimeOptions, Session,
    WeightFormat,
};
use hala_tests::counting::{Counting, held, most_during};
use hala_tests::fixtures::Fixture;
use pollster::block_on;

#[global_allocator]
static COUNTING: Counting = Counting;

/// What the names, settings and the chunk that is being encoded take: much of a fixture, and less than its largest weights.
const BESIDES: usize = 48 << 10;

/// How far an estimate may be above what is taken. The largest weight is rarely the last one, and a matrix of floats is not repacked.
const MOST_ABOVE: f64 = 1.5;

/// A session is told of at most so much more than it takes: its pool has room for 64 earlier states, and for the rows of a prompt behind a window.
const MOST_ABOVE_SESSION: f64 = 1.1;

/// Bytes of a session beside its pool and its logits: ids, tables.
const BESIDES_SESSION: usize = 24 << 10;

#[track_caller]
fn check(what: &str, told: usize, taken: usize, besides: usize, most_above: f64) {
    assert!(told + besides >= taken, "{what}: told {told}, taken {taken}");
    assert!(told as f64 <= most_above * taken as f64, "{what}: told {told}, taken {taken}");
}

fn options(weights: WeightFormat) -> RuntimeOptions {
    let device = DeviceOptions { backend: BackendName::Cpu, n_threads: 1, ..DeviceOptions::default() };
    RuntimeOptions { device, weights, ..RuntimeOptions::default() }
}

/// Loads a model, and checks the most that was allocated meanwhile.
fn loaded(source: &ModelSource, weights: WeightFormat, besides: usize) -> (Engine, Estimate) {
    let options = options(weights);
    let checkpoint = source.clone().open(&mut |_: Event<'_>| {}).unwrap();
    let estimate = Estimate::of(&checkpoint, &options).unwrap();
    let chosen = block_on(options.device.open()).unwrap();
    let load = || hala::load(chosen.backend, &checkpoint, &options, &mut |_: Event<'_>| {}).unwrap();
    let (engine, taken) = most_during(load);
    let what = format!("{source:?} as {weights}, at the peak");
    check(&what, estimate.peak_bytes(), taken, besides, MOST_ABOVE);
    (engine, estimate)
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

#[test]
fn what_is_told_before_is_what_is_taken() {
    for weights in WeightFormat::ALL {
        let (engine, estimate) = loaded(&ModelSource::BuiltIn, weights, 0);
        if weights == WeightFormat::Auto {
            check_session("built in", engine, &estimate);
        }
    }
    for (family, name) in [("lfm2", "four-layer"), ("gemma2", "no-caps"), ("cohere2", "four-layer")] {
        let source = ModelSource::Path(Fixture::new(family, name).path);
        for weights in [WeightFormat::Auto, WeightFormat::F32, WeightFormat::Int4] {
            let (engine, estimate) = loaded(&source, weights, BESIDES);
            check_session(&format!("{family} {name} as {weights}"), engine, &estimate);
        }
    }
}
