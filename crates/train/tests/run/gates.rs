//! The silent faults of trainers, each with the test that holds it.

use hala_plan::training::{Activations, TrainOptions};
use hala_train::config::Base;
use hala_train::data::{Batch, Document};
use hala_train::learn::{Compute, Learner, LearnerOptions, Update};
use hala_train::metrics::Line;
use hala_train::run::{Needs, Prepared, from_scratch};
use hala_train::{RunFault, TrainError};
use hala_weights::Checkpoint;

use crate::setting::Setting;

/// Relative error of sums of f32 gradients in another order.
const ORDER: f64 = 1e-6;

fn checkpoint(setting: &Setting) -> Checkpoint {
    let config = setting.config("steps: 1");
    let Base::FromScratch { config: shape, tokenizer } = &config.base else { panic!("{:?}", config.base) };
    from_scratch(shape, tokenizer, 1).unwrap()
}

fn learner(checkpoint: &Checkpoint) -> Learner {
    let plan = TrainOptions { label_smoothing: 0.0, dropout: 0.0, activations: Activations::Kept };
    let options = LearnerOptions { n_rows: 64, context: Some(32), plan, compute: Compute::Plain };
    Learner::open(checkpoint, &options).unwrap()
}

/// Eight documents of 1 to 12 rows, with weights that differ.
fn documents() -> Vec<Document> {
    let document = |i: u32| {
        let n = [2, 3, 4, 13, 5, 2, 9, 7][i as usize];
        let ids = (0..n).map(|j| 100 + 37 * i + 11 * j).collect();
        let weights = (0..n).map(|j| if j > n / 3 { 1.0 + 0.5 * (i % 2) as f32 } else { 0.0 }).collect();
        Document { ids, weights }
    };
    (0..8).map(document).collect()
}

fn packed(documents: &[Document]) -> Batch {
    let mut batch = Batch::default();
    documents.iter().for_each(|document| batch.push(document));
    batch
}

#[test]
fn micro_batches_of_unequal_lengths_accumulate_to_one_gradient() {
    let setting = Setting::new();
    let mut learner = learner(&checkpoint(&setting));
    let mut step = |n_together: usize| {
        let start = learner.values().to_vec();
        let mut mean = hala_train::learn::Loss::default();
        for some in documents().chunks(n_together) {
            mean += learner.accumulate(&packed(some), 0).unwrap();
        }
        let weight = mean.weight;
        let gradients: Vec<f64> = learner.gradients().iter().map(|g| f64::from(*g) / weight).collect();
        learner.update(&Update { learning_rate: 1e-3, ..Update::default() }).unwrap();
        learner.restore(&start, [&vec![0.0; start.len()], &vec![0.0; start.len()]], 0).unwrap();
        (mean.mean(), gradients)
    };
    // Eight at once, two by four, eight alone; and a last batch of two after two of three.
    let (loss, whole) = step(8);
    for n_together in [4, 1, 3] {
        let (other, gradients) = step(n_together);
        assert!((loss - other).abs() < ORDER * loss, "{n_together}: {loss} {other}");
        let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
        let error =
            norm(&mut whole.iter().zip(&gradients).map(|(a, b)| a - b)) / norm(&mut whole.iter().copied());
        assert!(error < ORDER, "{n_together}: {error}");
    }
}

#[test]
fn norms_and_embeddings_do_not_decay() {
    let setting = Setting::new();
    let mut learner = learner(&checkpoint(&setting));
    let table: Vec<(String, bool)> =
        learner.parameters().iter().map(|p| (p.name.clone(), p.decays)).collect();
    println!("{table:#?}");
    for (name, decays) in &table {
        let is_matrix = name.contains("proj") || name.contains("feed_forward");
        assert_eq!(*decays, is_matrix, "{name}");
    }
    // And what does not decay moves by the gradient alone: there is none for ids that no document has.
    let start = learner.values().to_vec();
    learner.accumulate(&packed(&documents()), 0).unwrap();
    learner.update(&Update { learning_rate: 0.1, weight_decay: 0.5, ..Update::default() }).unwrap();
    for parameter in learner.parameters().to_vec() {
        let of = |values: &[f32]| values[parameter.range.clone()].to_vec();
        let (before, after) = (of(&start), of(learner.values()));
        assert_ne!(before, after, "{}", parameter.name);
    }
    // A tied head is the embedding, and counted once.
    assert!(!table.iter().any(|(name, _)| name.contains("lm_head")));
}

#[test]
fn a_step_in_f32_moves_weights_that_bf16_would_leave() {
    let setting = Setting::new();
    let mut learner = learner(&checkpoint(&setting));
    let start = learner.values().to_vec();
    learner.accumulate(&packed(&documents()), 0).unwrap();
    learner.update(&Update { learning_rate: 1e-6, ..Update::default() }).unwrap();
    let projections = learner.parameters().iter().filter(|p| p.decays).flat_map(|p| p.range.clone());
    let (mut n, mut moved, mut moved_in_bf16) = (0, 0, 0);
    for i in projections {
        let [before, after] = [start[i], learner.values()[i]];
        n += 1;
        moved += u32::from(before != after);
        let rounded = |x: f32| (x.to_bits() + 0x8000) >> 16;
        moved_in_bf16 += u32::from(rounded(before) != rounded(after));
    }
    assert!(moved * 10 > n * 9, "{moved} of {n}");
    assert!(moved_in_bf16 * 10 < n, "{moved_in_bf16} of {n}");
}

#[test]
fn an_evaluation_sees_the_labels_that_training_sees() {
    let setting = Setting::new();
    // One batch of all rows, and an update that moves nothing.
    let lines = setting.run(
        "{ steps: 1, batch_rows: 512, learning_rate: 1e-30, weight_decay: 0, label_smoothing: 0, evaluation: [pairs.tsv], shuffle: 0 }",
    );
    let [Line::Step(step), Line::Evaluation(evaluated)] = lines[..] else { panic!("{lines:?}") };
    assert_eq!(step.n_labels, evaluated.n_labels);
    // The same f32 losses, added in f64 in another order.
    assert!((step.loss - evaluated.loss).abs() < 1e-9, "{} {}", step.loss, evaluated.loss);
}

#[test]
fn a_run_that_does_not_fit_is_refused_with_what_would() {
    let setting = Setting::new();
    let over = "{ steps: 1, batch_rows: 1024, context: 64 }";
    let prepared = setting.prepared(over).unwrap();
    let needs = prepared.needs();
    let small = setting.config("{ steps: 1, batch_rows: 128, context: 64 }");
    let fits = Needs::of(&small, &checkpoint(&setting)).unwrap().n_bytes();
    assert!(fits < needs.n_bytes());
    let refused = |available: usize| {
        let error = Prepared::within(setting.config(over), checkpoint(&setting), available).unwrap_err();
        assert!(matches!(error, TrainError::Run(RunFault::Memory { .. })), "{error}");
        error.to_string()
    };
    let message = refused(fits);
    assert!(message.contains("`batch_rows: 128`"), "{message}");
    assert!(refused(1000).contains("smaller model"));
}

#[test]
fn a_tokenizer_of_another_model_is_refused() {
    let setting = Setting::new();
    let shape = crate::setting::CONFIG.replacen('{', "{ \"vocab_size\": 5000,", 1);
    std::fs::write(setting.path("config.json"), shape).unwrap();
    let error = setting.prepared("steps: 1").unwrap_err().to_string();
    assert!(error.contains("vocab_size") && error.contains("5000") && error.contains("8192"), "{error}");
}

#[test]
fn a_share_in_which_no_row_falls_is_refused() {
    let setting = Setting::new();
    let prepared = setting.prepared("{ steps: 1, held_out: 1e-9 }").unwrap();
    let cancel = hala_plan::Cancel::new();
    let error = hala_train::run::train(&prepared, hala_train::run::Start::Resume, &cancel, &mut |_| {});
    let message = error.unwrap_err().to_string();
    assert!(message.contains("`held_out`") && message.contains("`evaluation`"), "{message}");
}

#[test]
fn data_without_a_label_is_refused() {
    let setting = Setting::new();
    let row = r#"{"messages":[{"role":"user","content":"Hello."}]}"#;
    std::fs::write(setting.path("asked.jsonl"), row).unwrap();
    let prepared = setting.prepared("{ steps: 1, data: [asked.jsonl] }").unwrap();
    let cancel = hala_plan::Cancel::new();
    let error = hala_train::run::train(&prepared, hala_train::run::Start::Resume, &cancel, &mut |_| {});
    let message = error.unwrap_err().to_string();
    assert!(message.contains("asked.jsonl") && message.contains("supervised"), "{message}");
}
