//! Logits of small random models against those that transformers computed, in f32.

use hala_backend_cpu::CpuBackend;
use hala_engine::{Engine, LoadOptions};
use hala_model::{Inputs, Options, WeightFormat};
use hala_tensor::DType;
use hala_tests::devices;
use hala_tests::fixtures::{self, Fixture, Prompt};
use hala_weights::Checkpoint;

use crate::ways::{Loaded, Way};
use crate::{largest_difference, ways};

/// Both sides sum in f32, in another order; the project promises 1e-3 at any size, and these models are tiny.
const LOGITS: f32 = 1e-4;

/// Of rounded inputs, ‖x − y‖ / ‖y‖ of most prompts: where an input lies between two codes the last bit of a sum decides, and then all
/// that comes after it is off by shares of a step, some percent.
const ROUNDED: f32 = 1e-4;

/// The same sums over other chunks of the prompt.
const SPLITS: f32 = 2e-5;

#[test]
fn logits_are_those_of_transformers() {
    let mut n = 0;
    for fixture in &fixtures::all() {
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
fn with_rounded_inputs_logits_are_those_of_transformers() {
    for fixture in fixtures::of("rounded") {
        let checkpoint = Checkpoint::open(&fixture.path).unwrap();
        let model = Options { cache: Some(DType::F32), inputs: Inputs::Rounded, ..Options::default() };
        let options = LoadOptions { weights: WeightFormat::F32, model };
        let plain = Engine::load(CpuBackend::plain(), &checkpoint, options, |_| true).unwrap();
        let plain: (_, Box<dyn Loaded>) = ("plain", Box::new(plain));
        let devices = devices::for_models().into_iter().map(|name| -> (_, Box<dyn Loaded>) {
            (name, Box::new(Engine::load(devices::shared(name), &checkpoint, options, |_| true).unwrap()))
        });
        for (name, model) in [plain].into_iter().chain(devices) {
            let n_same = n_same(&fixture, &*model);
            assert!(n_same * 2 >= fixture.prompts().len(), "{} on {name}: {n_same}", fixture.name);
        }
        let floats = Way::Plain.load(&checkpoint, WeightFormat::F32);
        assert_eq!(n_same(&fixture, &*floats), 0, "{}: rounding is not seen", fixture.name);
    }
}

/// The prompts whose logits are those of transformers.
fn n_same(fixture: &Fixture, model: &dyn Loaded) -> usize {
    let norm = |x: &mut dyn Iterator<Item = f32>| x.map(|x| x * x).sum::<f32>().sqrt();
    let is_same = |prompt: &Prompt| {
        let found = model.logits(&prompt.ids, prompt.ids.len());
        let difference = norm(&mut found.iter().zip(&prompt.logits).map(|(x, y)| x - y));
        difference <= ROUNDED * norm(&mut prompt.logits.iter().copied())
    };
    fixture.prompts().iter().filter(|prompt| is_same(prompt)).count()
}

#[test]
fn every_split_of_a_prompt_gives_the_logits_of_the_whole() {
    let lfm2 = ["two-layer", "four-layer", "conv-bias"].map(Fixture::lfm2);
    let others = [
        ("lfm3", "five-layer"),
        ("lfm3", "as-published"),
        ("gemma2", "two-layer"),
        ("gemma2", "no-caps"),
        ("cohere2", "four-layer"),
    ];
    for fixture in lfm2.into_iter().chain(others.map(|(family, name)| Fixture::new(family, name))) {
        let name = &fixture.name;
        let checkpoint = Checkpoint::open(&fixture.path).unwrap();
        for way in ways::all() {
            let model = way.load(&checkpoint, WeightFormat::F32);
            // A device takes its time for each chunk: of the small ones it gets the odd.
            let chunks: &[usize] = if way.is_cpu() { &CHUNKS } else { &[1, 5, 31, 69] };
            for prompt in fixture.prompts() {
                assert_same_split(&format!("{name} on {}", way.name()), &*model, &prompt.ids, chunks);
            }
        }
    }
}

/// Tokens that a prompt is computed by at a time.
const CHUNKS: [usize; 11] = [1, 2, 3, 4, 5, 6, 7, 31, 33, 64, 69];

fn assert_same_split(what: &str, model: &dyn Loaded, ids: &[u32], chunks: &[usize]) {
    let whole = model.logits(ids, ids.len());
    for n_chunk in chunks {
        let worst = largest_difference(&model.logits(ids, *n_chunk), &whole);
        assert!(worst <= SPLITS, "{what}, chunks of {n_chunk}: {worst}");
    }
}

#[test]
#[ignore = "long: every split of every fixture's prompts on devices"]
fn every_split_of_every_fixture_s_prompts_on_devices() {
    for fixture in &fixtures::all() {
        let checkpoint = Checkpoint::open(&fixture.path).unwrap();
        for way in ways::on_devices() {
            let model = way.load(&checkpoint, WeightFormat::F32);
            for prompt in fixture.prompts() {
                assert_same_split(
                    &format!("{} on {}", fixture.name, way.name()),
                    &*model,
                    &prompt.ids,
                    &CHUNKS,
                );
            }
        }
    }
}

#[test]
fn a_longrope_model_is_not_given_more_context_than_one_set_of_factors_goes_for() {
    let checkpoint = Checkpoint::open(&Fixture::lfm2("rope-longrope").path).unwrap();
    let open = |context| hala_model::open(&checkpoint, Options { context, ..Options::default() });
    let facts = open(None).unwrap().facts().clone();
    assert_eq!((facts.context, facts.max_context), (128, 128));
    assert_eq!(open(Some(128)).unwrap().facts().context, 128);
    let message = open(Some(129)).unwrap_err().to_string();
    assert!(
        message.contains("rope_type") && message.contains("longrope") && message.contains("128"),
        "{message}"
    );
}
