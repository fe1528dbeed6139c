//! Gradients of whole models against torch's autograd in f64.

use hala_plan::training::TrainOptions;
use hala_train::learn::{Compute, Learner, Products, Update};

use crate::fixture::{Fixture, fast, recomputed, relative_error};

/// Of plain loops: f32 activations, f64 sums; torch's norms are in f32 even in a model of f64.
const PLAIN: f64 = 1e-5;

/// Of fast loops, whose sums are in f32.
const FAST: f64 = 1e-4;

/// The label smoothing of the fixtures.
const SMOOTHING: f32 = 0.1;

/// Compares the gradient of every parameter.
fn compare(fixture: &Fixture, prefix: &str, learner: &Learner, bound: f64) {
    for parameter in learner.parameters() {
        let found = &learner.gradients()[parameter.range.clone()];
        let expected = fixture.floats(&format!("{prefix}/{}", parameter.name));
        let error = relative_error(found, &expected);
        assert!(error <= bound, "{}: {prefix}/{}: {error:e}", fixture.name, parameter.name);
    }
}

fn losses_and_gradients(compute: Compute, bound: f64) {
    for fixture in Fixture::all() {
        let mut learner = fixture.learner(TrainOptions::default(), compute);
        let batch = fixture.batch("");
        let loss = learner.accumulate(&batch, 0).unwrap();
        let losses = fixture.floats("losses");
        let sum: f64 = losses.iter().zip(&batch.weights).map(|(l, w)| f64::from(*l) * f64::from(*w)).sum();
        assert!((loss.sum / sum - 1.0).abs() <= bound, "{}: {} and {sum}", fixture.name, loss.sum);
        compare(&fixture, "grad", &learner, bound);
    }
}

#[test]
fn plain_gradients_are_those_of_autograd() {
    losses_and_gradients(Compute::Plain, PLAIN);
}

#[test]
fn fast_gradients_are_those_of_autograd() {
    losses_and_gradients(fast(2), FAST);
}

#[test]
fn label_smoothing_is_torchs() {
    for (fixture, (compute, bound)) in Fixture::all()
        .flat_map(|f| [(Compute::Plain, PLAIN), (fast(1), FAST)].map(|way| (Fixture::of(f.name), way)))
    {
        let options = TrainOptions { label_smoothing: SMOOTHING, ..TrainOptions::default() };
        let mut learner = fixture.learner(options, compute);
        learner.accumulate(&fixture.batch(""), 0).unwrap();
        compare(&fixture, "smooth", &learner, bound);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for products in [Products::F32, Products::Bf16].into_iter().filter(|products| products.is_supported()) {
        for fixture in Fixture::all() {
            let options =
                TrainOptions { dropout: 0.1, label_smoothing: SMOOTHING, ..TrainOptions::default() };
            let run = |n_threads| {
                let mut learner = fixture.learner(options, Compute::Fast { n_threads, products });
                for seed in 0..3 {
                    learner.accumulate(&fixture.batch(""), seed).unwrap();
                    learner.update(&Update { learning_rate: 1e-2, ..Update::default() }).unwrap();
                }
                learner.values().to_vec()
            };
            let one = run(1);
            for n_threads in [2, 3, 7] {
                assert_eq!(one, run(n_threads), "{}: {products:?}, {n_threads} threads", fixture.name);
            }
        }
    }
}

#[test]
fn gradients_are_the_same_to_the_bit_where_layers_are_computed_again() {
    for fixture in Fixture::all() {
        let gradients = |options| {
            let mut learner = fixture.learner(options, fast(2));
            learner.accumulate(&fixture.batch(""), 0).unwrap();
            (learner.gradients().to_vec(), learner.estimate().activation_bytes)
        };
        let (kept, kept_bytes) = gradients(TrainOptions::default());
        let (again, again_bytes) = gradients(recomputed());
        assert_eq!(kept, again, "{}", fixture.name);
        assert!(again_bytes < kept_bytes, "{}: {again_bytes} and {kept_bytes} bytes", fixture.name);
    }
}
