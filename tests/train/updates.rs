//! Updates: AdamW against torch's, and what is learnt.

use hala_plan::training::TrainOptions;
use hala_train::data::{Batch, Document};
use hala_train::learn::{Compute, Learner, Update};

use crate::fixture::{Fixture, fast};

/// How far a step's loss may be from that of torch's run in f32.
const STEP: f64 = 1e-3;

/// What a set that was memorised has as its loss.
const MEMORISED: f64 = 0.05;

fn update() -> Update {
    Update { learning_rate: 3e-3, weight_decay: 0.1, max_norm: Some(1.0), ..Update::default() }
}

fn follows_torch(compute: Compute) {
    let fixture = Fixture::of("two-taps");
    let batches: Vec<Batch> = (0..4).map(|i| fixture.batch(&format!("batch_{i}_"))).collect();
    let mut learner = fixture.learner(TrainOptions::default(), compute);
    let expected = fixture.floats("step_losses");
    for (step, expected) in expected.iter().enumerate() {
        let loss = learner.accumulate(&batches[step % 4], 0).unwrap().mean();
        assert!((loss - f64::from(*expected)).abs() <= STEP, "step {step}: {loss} and {expected}");
        learner.update(&update()).unwrap();
    }
    let last = learner.evaluate(&batches[0]).unwrap().mean();
    assert!(last < f64::from(expected[0]) / 2.0, "{last} after {}", expected[0]);
}

#[test]
fn fifty_steps_of_adamw_have_torchs_losses() {
    follows_torch(Compute::Plain);
    follows_torch(fast(2));
}

/// A batch of 64 documents that no rule makes, only memory.
fn rows_to_memorise() -> Batch {
    let mut batch = Batch::default();
    let mut rng = hala_tests::random::Rng::new("rows to memorise");
    for i in 0..64u32 {
        // The first two tokens tell documents apart.
        let ids = [3 + i % 8, 3 + i / 8, 3 + rng.below(20) as u32, 3 + rng.below(20) as u32];
        batch.push(&Document { ids: ids.to_vec(), weights: vec![0.0, 0.0, 1.0, 1.0] });
    }
    batch
}

fn memorises(learner: &mut Learner) {
    let batch = rows_to_memorise();
    let mut loss = f64::INFINITY;
    for step in 0..400 {
        let learning_rate = if step < 300 { 1e-2 } else { 2e-3 };
        loss = learner.accumulate(&batch, 0).unwrap().mean();
        if loss < MEMORISED {
            return;
        }
        learner.update(&Update { learning_rate, ..update() }).unwrap();
    }
    panic!("the loss is {loss} after 400 steps");
}

#[test]
fn a_set_of_64_rows_is_memorised() {
    let fixture = Fixture::of("two-taps");
    memorises(&mut fixture.learner_for(256, fast(2)));
}

#[test]
fn a_weight_moves_after_one_step_however_small() {
    let fixture = Fixture::of("groups");
    let mut learner = fixture.learner(TrainOptions::default(), Compute::Plain);
    let before = learner.values().to_vec();
    learner.accumulate(&fixture.batch(""), 0).unwrap();
    learner.update(&Update { learning_rate: 1e-5, ..Update::default() }).unwrap();
    // Of the embedding only the rows of ids that were read move.
    for parameter in learner.parameters().iter().filter(|p| !p.name.contains("embed_tokens")) {
        let range = parameter.range.clone();
        let moved =
            before[range.clone()].iter().zip(&learner.values()[range]).filter(|(a, b)| a != b).count();
        assert!(moved * 10 > parameter.range.len() * 8, "{}: {moved} moved", parameter.name);
    }
}

#[test]
fn norms_and_embeddings_do_not_decay_and_a_tied_head_is_one_parameter() {
    for fixture in Fixture::all() {
        let learner = fixture.learner(TrainOptions::default(), Compute::Plain);
        for parameter in learner.parameters() {
            let name = &parameter.name;
            let is_matrix = parameter.dims.len() == 2 && !name.contains("embed_tokens");
            assert_eq!(parameter.decays, is_matrix, "{}: {name}", fixture.name);
        }
        let n_heads = learner.parameters().iter().filter(|p| p.name == "lm_head.weight").count();
        assert_eq!(n_heads, usize::from(fixture.name == "groups"), "{}", fixture.name);
    }
}

#[test]
fn an_update_of_nothing_is_refused_and_a_gradient_that_is_not_finite_changes_nothing() {
    let fixture = Fixture::of("groups");
    let mut learner = fixture.learner(TrainOptions::default(), Compute::Plain);
    let message = learner.update(&update()).unwrap_err().to_string();
    assert!(message.contains("accumulate a batch"), "{message}");
    let mut values = learner.values().to_vec();
    let norm = learner.parameters().iter().find(|p| p.name.contains("embedding_norm")).unwrap().range.start;
    values[norm] = f32::NAN;
    learner.set_values(&values).unwrap();
    learner.accumulate(&fixture.batch(""), 0).unwrap();
    let message = learner.update(&update()).unwrap_err().to_string();
    assert!(message.contains("not finite"), "{message}");
    assert_eq!(learner.values().iter().filter(|x| !x.is_finite()).count(), 1);
    assert_eq!(learner.n_updates(), 0);
    assert!(learner.gradients().iter().all(|x| *x == 0.0));
}
