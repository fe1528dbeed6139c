//! Logits of small random models against those that transformers computed, in f32.

use hala_model::WeightFormat;
use hala_tests::fixtures::{self, Fixture};
use hala_weights::Checkpoint;

use crate::{backends, largest_difference, load, logits};

/// Both sides sum in f32, in another order; the project promises 1e-3 at any size, and these models are tiny.
const LOGITS: f32 = 1e-4;

/// The same sums over other chunks of the prompt.
const SPLITS: f32 = 2e-5;

/// What this project refuses by name.
const REFUSED: [(&str, &str); 1] = [("rope-yarn", "yarn")];

#[test]
fn logits_are_those_of_transformers() {
    let mut n = 0;
    for fixture in fixtures::lfm2().iter().filter(|f| REFUSED.iter().all(|(name, _)| *name != f.name)) {
        let checkpoint = Checkpoint::open(&fixture.path).unwrap();
        for (name, backend) in backends() {
            let engine = load(backend, &checkpoint, WeightFormat::F32).unwrap();
            for prompt in fixture.prompts() {
                let found = logits(&engine, &prompt.ids, prompt.ids.len());
                let worst = largest_difference(&found, &prompt.logits);
                assert!(worst <= LOGITS, "{} on {name}, {} ids: {worst}", fixture.name, prompt.ids.len());
                n += 1;
            }
        }
    }
    assert!(n >= 40, "{n} prompts");
}

#[test]
fn every_split_of_a_prompt_gives_the_logits_of_the_whole() {
    for name in ["two-layer", "four-layer", "conv-bias"] {
        let fixture = Fixture::lfm2(name);
        let checkpoint = Checkpoint::open(&fixture.path).unwrap();
        for (backend_name, backend) in backends() {
            let engine = load(backend, &checkpoint, WeightFormat::F32).unwrap();
            for prompt in fixture.prompts() {
                let whole = logits(&engine, &prompt.ids, prompt.ids.len());
                for n_chunk in (1..=7).chain([31, 33, 64, 69]) {
                    let split = logits(&engine, &prompt.ids, n_chunk);
                    let worst = largest_difference(&split, &whole);
                    assert!(worst <= SPLITS, "{name} on {backend_name}, chunks of {n_chunk}: {worst}");
                }
            }
        }
    }
}

#[test]
fn kinds_of_rotary_scaling_that_are_not_computed_are_refused_by_name() {
    for (name, kind) in REFUSED {
        let checkpoint = Checkpoint::open(&Fixture::lfm2(name).path).unwrap();
        let error = hala_model::open(&checkpoint, hala_model::Options::default()).unwrap_err().to_string();
        assert!(error.contains("rope_type") && error.contains(kind), "{error}");
    }
}
