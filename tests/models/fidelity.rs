//! What quantised weights cost, in agreement and divergence from f32: on the built-in model's own text, and on random models.

use hala_backend_cpu::CpuBackend;
use hala_engine::Engine;
use hala_eval::Fidelity;
use hala_model::WeightFormat;
use hala_tests::fixtures::Fixture;
use hala_tests::random::Rng;
use hala_weights::Checkpoint;

use crate::golden::{Text, texts};
use crate::{load, logits, published_demo};

fn argmax(values: &[f32]) -> usize {
    (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap()
}

/// Which positions are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Positions {
    /// Those whose next token is the model's own.
    Answers,
    /// The prompts' too.
    All,
}

fn fidelity(reference: &Engine<CpuBackend>, engine: &Engine<CpuBackend>, positions: Positions) -> Fidelity {
    let n_vocab = engine.model().facts().n_vocab;
    let mut fidelity = Fidelity::default();
    for Text { ids, n_prompt } in texts() {
        let expected = logits(reference, &ids, ids.len());
        let found = logits(engine, &ids, ids.len());
        let first = if positions == Positions::All { 0 } else { n_prompt - 1 };
        for (p, q) in expected.chunks(n_vocab).zip(found.chunks(n_vocab)).skip(first) {
            fidelity.add(p, q, None);
        }
    }
    fidelity
}

/// Of a random model, over random ids: how far formats are from f32.
fn fidelity_of_random(family: &str, name: &str, weights: WeightFormat) -> Fidelity {
    let checkpoint = Checkpoint::open(&Fixture::new(family, name).path).unwrap();
    let [reference, engine] = [WeightFormat::F32, weights].map(|weights| threaded(&checkpoint, weights));
    let n_vocab = engine.model().facts().n_vocab;
    let (mut rng, mut fidelity) = (Rng::new("ids"), Fidelity::default());
    for _ in 0..4 {
        let ids = rng.ids(200, n_vocab);
        let [expected, found] = [&reference, &engine].map(|engine| logits(engine, &ids, ids.len()));
        let rows = expected.chunks(n_vocab).zip(found.chunks(n_vocab));
        rows.for_each(|(p, q)| fidelity.add(p, q, None));
    }
    fidelity
}

#[test]
fn quantised_weights_cost_a_random_lfm3_what_they_cost_a_random_lfm2() {
    for weights in [WeightFormat::Int8, WeightFormat::Fp8, WeightFormat::Int4] {
        let lfm2 = fidelity_of_random("lfm2", "four-layer", weights);
        // A norm after a block makes what the block adds as large as its weights say, and its errors with it: those that have none lose less
        // than LFM2 does, those that have it twice as much.
        for (name, less_top1, times) in [("no-sandwich", 0.0, 1.0), ("five-layer", 0.1, 2.2)] {
            let lfm3 = fidelity_of_random("lfm3", name, weights);
            for (family, found) in [("lfm2", &lfm2), ("lfm3", &lfm3)] {
                println!(
                    "{family}, {name}, {weights}: top-1 {:.4}, KL {:.6} nats",
                    found.top1(),
                    found.divergence()
                );
            }
            assert!(lfm3.top1() >= lfm2.top1() - less_top1, "{name}, {weights}: {lfm3:?}, {lfm2:?}");
            assert!(lfm3.divergence() <= times * lfm2.divergence(), "{name}, {weights}: {lfm3:?}, {lfm2:?}");
        }
    }
}

fn threaded(checkpoint: &Checkpoint, weights: WeightFormat) -> Engine<CpuBackend> {
    load(CpuBackend::threaded(2).unwrap(), checkpoint, weights).unwrap()
}

#[test]
fn quantised_weights_keep_the_distributions_of_f32() {
    let published = published_demo().map(|path| Checkpoint::open(&path).unwrap());
    let shipped = Checkpoint::from_files(hala_demo_model::files()).unwrap();
    let reference = threaded(published.as_ref().unwrap_or(&shipped), WeightFormat::F32);
    let rows = [
        ("int8", threaded(&shipped, WeightFormat::Auto), 0.97, 0.01),
        ("fp8", threaded(published.as_ref().unwrap_or(&shipped), WeightFormat::Fp8), 0.95, 0.02),
        ("int4", threaded(published.as_ref().unwrap_or(&shipped), WeightFormat::Int4), 0.85, 0.06),
        ("bf16", threaded(published.as_ref().unwrap_or(&shipped), WeightFormat::BF16), 0.99, 0.001),
    ];
    // Inside a prompt the model was not trained, and its likeliest tokens are near ties: with the shipped weights, which are
    // rounded already, only its own text is compared.
    let positions: &[Positions] =
        if published.is_some() { &[Positions::Answers, Positions::All] } else { &[Positions::Answers] };
    for (name, engine, least_top1, most_divergence) in rows {
        for positions in positions {
            let found = fidelity(&reference, &engine, *positions);
            println!("{name}, {positions:?}: top-1 {:.4}, KL {:.5} nats", found.top1(), found.divergence());
            assert!(found.top1() >= least_top1, "{name}: {found:?}");
            assert!(found.divergence() <= most_divergence, "{name}: {found:?}");
        }
    }
}

#[test]
fn greedy_output_in_f32_is_the_reference_implementations_on_every_sentence() {
    let Some(path) = published_demo() else {
        println!("skipped: the published checkpoint is not here");
        return;
    };
    let checkpoint = Checkpoint::open(&path).unwrap();
    let engine = threaded(&checkpoint, WeightFormat::F32);
    let n_vocab = engine.model().facts().n_vocab;
    for (i_text, Text { ids, n_prompt }) in texts().into_iter().enumerate() {
        // Each token of the answer is the likeliest after those before it: then greedy decoding writes this answer.
        let rows = logits(&engine, &ids, ids.len());
        for (i, row) in rows.chunks(n_vocab).enumerate().take(ids.len() - 1).skip(n_prompt - 1) {
            assert_eq!(argmax(row) as u32, ids[i + 1], "sentence {i_text} at {i}");
        }
    }
}
