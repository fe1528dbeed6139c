//! What a decoded token costs on a device: one submission, few dispatches, and nothing made.

use std::sync::Arc;

use hala_backend_wgpu::{Created, WgpuBackend};
use hala_engine::{GenerateOptions, Generation, Session};
use hala_model::WeightFormat;
use hala_plan::Cancel;
use hala_tests::devices;
use hala_tests::random::Rng;
use pollster::block_on;

use crate::{load, small_350m};

/// The most dispatches of one token of the 350M: on fast GPUs each costs about 3 µs, and 80 of them a third of the time
/// that reading the weights takes.
const MAX_DISPATCHES: u64 = 80;

/// Tokens over which nothing may be made: past the 64 after which a session takes a snapshot.
const N_TOKENS: usize = 70;

/// Tokens after which a session goes back.
const N_ROUND: usize = 70;

fn session(device: &str, weights: WeightFormat) -> Session<WgpuBackend> {
    let engine = load(devices::open(device), &small_350m::checkpoint(), weights).unwrap();
    block_on(Session::new(Arc::new(engine))).unwrap()
}

/// A session that has taken a prompt and decoded one token.
fn warm(device: &str, weights: WeightFormat) -> Session<WgpuBackend> {
    let mut session = session(device, weights);
    block_on(session.prefill(&[1, 2, 3, 5, 8], &Cancel::new())).unwrap();
    block_on(session.decode(13, &Cancel::new())).unwrap();
    session
}

fn created(session: &Session<WgpuBackend>) -> Created {
    session.engine().backend().created()
}

/// The same without what was run.
fn made(session: &Session<WgpuBackend>) -> Created {
    Created { submits: 0, dispatches: 0, ..created(session) }
}

/// The weights that people use.
const FORMATS: [WeightFormat; 3] = [WeightFormat::Int8, WeightFormat::Fp8, WeightFormat::F32];

/// Each device with these weights; counting needs a device of one's own, which compiles its kernels anew.
fn rows(formats: &[WeightFormat]) -> impl Iterator<Item = (&'static str, WeightFormat)> {
    devices::for_models().into_iter().flat_map(move |device| formats.iter().map(move |f| (device, *f)))
}

#[test]
fn a_token_of_the_350m_s_layers_is_one_submission_of_at_most_80_dispatches() {
    for (device, weights) in rows(&FORMATS) {
        let mut session = warm(device, weights);
        let before = created(&session);
        block_on(session.decode(21, &Cancel::new())).unwrap();
        let after = created(&session);
        let n_dispatches = after.dispatches - before.dispatches;
        println!("{device}: {weights}: {n_dispatches} dispatches");
        assert_eq!(after.submits - before.submits, 1, "{device}: {weights}");
        assert!(n_dispatches <= MAX_DISPATCHES, "{device}: {weights}: {n_dispatches} dispatches");
        assert_eq!(session.logits().len(), small_350m::N_VOCAB);
    }
}

#[test]
fn after_the_first_token_decoding_makes_nothing() {
    assert_makes_nothing(&FORMATS[..1]);
}

#[test]
fn tokens_that_the_device_chooses_cost_one_submission_each_and_make_nothing() {
    assert_chooses_cheaply(&FORMATS[..1]);
}

#[test]
#[ignore = "long: every kind of weight on devices of their own"]
fn decoding_makes_nothing_with_every_kind_of_weight() {
    assert_makes_nothing(&FORMATS);
    assert_chooses_cheaply(&FORMATS);
}

fn assert_makes_nothing(formats: &[WeightFormat]) {
    for (device, weights) in rows(formats) {
        let mut session = warm(device, weights);
        let (before, n_before) = (made(&session), created(&session).submits);
        for id in Rng::new("decoded").ids(N_TOKENS, small_350m::N_VOCAB) {
            block_on(session.decode(id, &Cancel::new())).unwrap();
        }
        assert_eq!(made(&session), before, "{device}: {weights}");
        assert_eq!(created(&session).submits - n_before, N_TOKENS as u64, "{device}: {weights}");
    }
}

#[expect(clippy::print_stdout, reason = "what is counted is told")]
fn assert_chooses_cheaply(formats: &[WeightFormat]) {
    for (device, weights) in rows(formats) {
        let mut session = session(device, weights);
        let options = GenerateOptions { max_tokens: Some(N_TOKENS), ..GenerateOptions::default() };
        // The first time makes the plans.
        for is_warm in [false, true] {
            let mut generation =
                Generation::new(&session, &[1, 2, 3, 5, 8], &options, &Cancel::new()).unwrap();
            block_on(generation.next(&mut session)).unwrap();
            let (before, made_before) = (created(&session), made(&session));
            while block_on(generation.next(&mut session)).unwrap().is_some() {}
            let (after, made_after) = (created(&session), made(&session));
            let n_submits = after.submits - before.submits;
            let n_dispatches = (after.dispatches - before.dispatches) as f64 / n_submits as f64;
            assert_eq!(n_submits, N_TOKENS as u64 - 1, "{device}: {weights}");
            assert!(n_dispatches <= MAX_DISPATCHES as f64, "{device}: {weights}: {n_dispatches} dispatches");
            if is_warm {
                println!("{device}: {weights}: {n_dispatches} dispatches with the choice");
                assert_eq!(made_after, made_before, "{device}: {weights}");
            }
        }
    }
}

#[test]
fn a_plan_that_is_used_hundreds_of_times_holds_no_more_memory() {
    for device in devices::for_models() {
        let mut session = warm(device, WeightFormat::Int8);
        let before = made(&session);
        for (i, id) in Rng::new("reused").ids(3 * N_ROUND, small_350m::N_VOCAB).into_iter().enumerate() {
            // Going back copies states; that must not make anything either.
            if i % N_ROUND == 0 {
                block_on(session.truncate(3)).unwrap();
            }
            block_on(session.decode(id, &Cancel::new())).unwrap();
        }
        assert_eq!(made(&session), before, "{device}");
    }
}
