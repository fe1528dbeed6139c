//! Logits of small random models against those that transformers computed, in f32.

use hala_model::WeightFormat;
use hala_tests::fixtures::{self, Fixture};
use hala_weights::Checkpoint;

use crate::{largest_difference, ways};

/// Both sides sum in f32, in another order; the project promises 1e-3 at any size, and these models are tiny.
const LOGITS: f32 = 1e-4;

/// The same sums over other chunks of the prompt.
const SPLITS: f32 = 2e-5;

#[test]
fn logits_are_those_of_transformers() {
    let mut n = 0;
    for fixture in fixtures::all().iter().filter(|f| f.is_supported()) {
        let checkpoint = Checkpoint::open(&fixture.path).unwrap();
        for way in ways::all() {
            let (name, model) = (way.name(), way.load(&checkpoint, WeightFormat::F32));
            for prompt in fixture.prompts() {
                let found = model.logits(&prompt.ids, prompt.ids.len());
                let worst = largest_difference(&found, &prompt.logits);
                assert!(worst <= LOGITS, "{} on {name}, {} ids: {worst}", fixture.name, prompt.ids.len());
                n += 1;
            }
        }
    }
    assert!(n >= 60, "{n} prompts");
}

#[test]
fn every_split_of_a_prompt_gives_the_logits_of_the_whole() {
    let lfm2 = ["two-layer", "four-layer", "conv-bias"].map(Fixture::lfm2);
    let others = [("gemma2", "two-layer"), ("gemma2", "no-caps"), ("cohere2", "four-layer")];
    for fixture in lfm2.into_iter().chain(others.map(|(family, name)| Fixture::new(family, name))) {
        let name = &fixture.name;
        let checkpoint = Checkpoint::open(&fixture.path).unwrap();
        for way in ways::all() {
            let model = way.load(&checkpoint, WeightFormat::F32);
            for prompt in fixture.prompts() {
                let whole = model.logits(&prompt.ids, prompt.ids.len());
                for n_chunk in (1..=7).chain([31, 33, 64, 69]) {
                    let split = model.logits(&prompt.ids, n_chunk);
                    let worst = largest_difference(&split, &whole);
                    assert!(worst <= SPLITS, "{name} on {}, chunks of {n_chunk}: {worst}", way.name());
                }
            }
        }
    }
}

#[test]
fn kinds_of_rotary_scaling_that_are_not_computed_are_refused_by_name() {
    let refused: Vec<Fixture> = fixtures::lfm2().into_iter().filter(|f| !f.is_supported()).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    for fixture in refused {
        let checkpoint = Checkpoint::open(&fixture.path).unwrap();
        let error = hala_model::open(&checkpoint, hala_model::Options::default()).unwrap_err().to_string();
        assert!(error.contains("rope_type") && error.contains("yarn"), "{error}");
    }
}
