//! Tuning on devices: what is measured and chosen, and that choices change no result.

use std::collections::BTreeSet;

use hala_backend_wgpu::{Choices, Origin, Trial, Tuning, WgpuBackend};
use hala_engine::{Engine, EngineError};
use hala_model::{LogitRows, PlanShape, WeightFormat};
use hala_plan::{Backend, BackendError, Cancel, PoolSize};
use hala_tests::devices;
use pollster::block_on;

use crate::{largest_difference, load, logits, small_350m};

/// Two ways to go differ in the order of their sums only: logits of this model are around 1.
const ORDER_OF_SUMS: f32 = 1e-4;

fn engine(device: &str) -> Engine<WgpuBackend> {
    load(devices::open(device), &small_350m::checkpoint(), WeightFormat::Int8).unwrap()
}

fn tune(engine: &Engine<WgpuBackend>, n_tokens: usize, cancel: &Cancel) -> Result<Vec<Trial>, EngineError> {
    let (plan, _) = engine.plan(PlanShape { n_tokens, logits: LogitRows::All }).unwrap();
    let size = PoolSize { n_slots: 2, n_pages: engine.model().n_pages(n_tokens, n_tokens) };
    let mut states = engine.backend().allocate(engine.model().states(), &size).unwrap();
    let (weights, states) = (engine.weights(), &mut states);
    let tuning = Tuning { plan: &plan, weights, states, n_runs: 1, cancel };
    Ok(block_on(engine.backend().tune(tuning, |n_done, n_total| assert!(n_done <= n_total)))?)
}

/// `None`, and a line that says so, for a device without a clock.
#[expect(clippy::print_stdout, reason = "what is skipped is told")]
fn trials(engine: &Engine<WgpuBackend>, n_tokens: usize) -> Option<Vec<Trial>> {
    match tune(engine, n_tokens, &Cancel::new()) {
        Err(EngineError::Backend(BackendError::Refused { reason, .. })) if reason.contains("timestamps") => {
            println!("skipped: {} has no timestamps", engine.device().name);
            None
        }
        trials => Some(trials.unwrap()),
    }
}

#[test]
fn every_product_of_a_plan_gets_one_choice_among_its_ways() {
    for device in devices::for_models() {
        let engine = engine(device);
        for n_tokens in [1, 32] {
            let Some(trials) = trials(&engine, n_tokens) else { continue };
            let questions: BTreeSet<&str> = trials.iter().map(|trial| trial.question.as_str()).collect();
            // With its norm, or without where a step before has that.
            let products = ["swiglu", "swiglu.norm"].map(|op| format!("{op} int8 T={n_tokens} 64→96"));
            assert!(products.iter().any(|product| questions.contains(product.as_str())), "{questions:?}");
            for question in questions {
                let of_it: Vec<&Trial> = trials.iter().filter(|t| t.question == question).collect();
                assert_eq!(of_it.iter().filter(|t| t.is_chosen).count(), 1, "{of_it:?}");
                assert_eq!(of_it.iter().filter(|t| t.is_default).count(), 1, "{of_it:?}");
                let is_time = |seconds: f64| seconds.is_finite() && seconds >= 0.0;
                assert!(of_it.iter().all(|t| is_time(t.seconds)), "{of_it:?}");
            }
        }
    }
}

#[test]
fn whichever_way_is_chosen_the_logits_are_the_same() {
    let ids: Vec<u32> = (0..40).collect();
    for device in devices::for_models() {
        let engine = engine(device);
        let Some(mut trials) = trials(&engine, 1) else { continue };
        trials.extend(self::trials(&engine, 32).unwrap());
        let expected = [logits(&engine, &ids, 32), logits(&engine, &ids[..4], 1)];
        let others = trials.into_iter().filter(|trial| !trial.is_default);
        let choices = Choices {
            origin: engine.backend().origin(),
            ways: others.map(|t| (t.question, t.way)).collect(),
        };
        assert!(engine.backend().use_choices(choices));
        let found = [logits(&engine, &ids, 32), logits(&engine, &ids[..4], 1)];
        for (found, expected) in found.iter().zip(&expected) {
            let difference = largest_difference(found, expected);
            assert!(difference <= ORDER_OF_SUMS, "{device}: {difference}");
        }
    }
}

#[test]
fn an_untuned_device_records_as_at_first_and_then_goes_on_as_chosen() {
    for device in devices::for_models() {
        let engine = engine(device);
        let steps = || {
            let (plan, _) = engine.plan(PlanShape { n_tokens: 2, logits: LogitRows::All }).unwrap();
            plan.steps().iter().map(|step| format!("{:?}", step.op)).collect::<Vec<_>>()
        };
        let Some(trials) = trials(&engine, 2) else { continue };
        let first = steps();
        // What differs from the table most often is whether a product holds its norm.
        let others = trials.into_iter().filter(|trial| !trial.is_default);
        let ways = others.map(|trial| (trial.question, trial.way)).collect();
        let origin = engine.backend().origin();
        assert!(engine.backend().use_choices(Choices { origin, ways }));
        let tuned = steps();
        if engine.backend().is_software() {
            assert_ne!(first, tuned, "the choices change nothing, so this shows nothing");
        }
        let untuned = engine.backend().untuned();
        assert_eq!(steps(), first);
        drop(untuned);
        assert_eq!(steps(), tuned);
    }
}

#[test]
fn choices_of_another_device_driver_or_version_are_not_used() {
    for device in devices::for_models() {
        let backend = devices::open(device);
        let ours = backend.origin();
        let other = || "another".to_owned();
        for origin in [
            Origin { device: other(), ..ours.clone() },
            Origin { driver: other(), ..ours.clone() },
            Origin { version: other(), ..ours.clone() },
            Origin { kernels: other(), ..ours.clone() },
        ] {
            assert!(!backend.use_choices(Choices { origin, ..Choices::default() }));
        }
        assert!(backend.use_choices(Choices { origin: ours, ..Choices::default() }));
    }
}

#[test]
fn tuning_can_be_stopped() {
    for device in devices::for_models() {
        let stopped = Cancel::new();
        stopped.cancel();
        assert!(tune(&engine(device), 1, &stopped).unwrap_err().is_cancelled());
    }
}
