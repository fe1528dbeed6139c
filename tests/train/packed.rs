//! Documents of a batch do not see each other, and a step is the same however its rows are cut into batches.

use hala_plan::training::TrainOptions;
use hala_train::data::{Batch, IGNORE};
use hala_train::learn::Compute;

use crate::fixture::{Fixture, document, fast, relative_error};

/// How far sums of another order may be apart, of plain loops.
const PLAIN: f64 = 1e-6;

/// The same of fast loops.
const FAST: f64 = 1e-5;

fn packed_is_the_sum(compute: Compute, bound: f64) {
    for fixture in Fixture::all() {
        let batch = fixture.batch("");
        let mut packed = fixture.learner(TrainOptions::default(), compute);
        let together = packed.accumulate(&batch, 0).unwrap();
        let mut alone = fixture.learner(TrainOptions::default(), compute);
        let mut sum = 0.0;
        for idx in 0..batch.starts.len() {
            sum += alone.accumulate(&document(&batch, idx), 0).unwrap().sum;
        }
        assert!((together.sum / sum - 1.0).abs() <= bound, "{}: {} and {sum}", fixture.name, together.sum);
        for parameter in packed.parameters() {
            let [a, b] = [&packed, &alone].map(|learner| &learner.gradients()[parameter.range.clone()]);
            let error = relative_error(a, b);
            assert!(error <= bound, "{}: {}: {error:e}", fixture.name, parameter.name);
        }
    }
}

#[test]
fn gradients_of_a_pack_are_the_sum_of_its_documents() {
    packed_is_the_sum(Compute::Plain, PLAIN);
    packed_is_the_sum(fast(2), FAST);
}

/// The rows before and after document `idx`.
fn others(batch: &Batch, idx: usize) -> impl Iterator<Item = usize> {
    let start = batch.starts[idx] as usize;
    let end = batch.starts.get(idx + 1).map_or(batch.n_rows(), |end| *end as usize);
    (0..start).chain(end..batch.n_rows())
}

fn changing_one_leaves_the_others(compute: Compute) {
    for fixture in Fixture::all() {
        let batch = fixture.batch("");
        let mut learner = fixture.learner(TrainOptions::default(), compute);
        let mut run = |batch: &Batch| {
            learner.discard();
            learner.accumulate(batch, 0).unwrap();
            (learner.row_losses().to_vec(), learner.embedding_gradients().to_vec())
        };
        let (losses, hidden) = run(&batch);
        let width = hidden.len() / batch.n_rows();
        for idx in 0..batch.starts.len() {
            let mut changed = batch.clone();
            let first = batch.starts[idx] as usize;
            let len = document(&batch, idx).n_rows();
            changed.tokens[first..first + len].iter_mut().for_each(|id| *id = 3 + (*id + 1) % 20);
            let (changed_losses, changed_hidden) = run(&changed);
            for t in others(&batch, idx) {
                assert_eq!(losses[t].to_bits(), changed_losses[t].to_bits(), "{}: row {t}", fixture.name);
                let row = t * width..(t + 1) * width;
                assert_eq!(hidden[row.clone()], changed_hidden[row], "{}: row {t}", fixture.name);
            }
            let counts = batch.labels[first..first + len].iter().any(|label| *label != IGNORE);
            assert!(!counts || losses != changed_losses, "{}: document {idx} changed nothing", fixture.name);
        }
    }
}

#[test]
fn changing_one_document_leaves_the_bits_of_the_others() {
    changing_one_leaves_the_others(Compute::Plain);
    changing_one_leaves_the_others(fast(2));
}

/// Documents `from..to` as one batch.
fn part(batch: &Batch, from: usize, to: usize) -> Batch {
    let mut found = Batch::default();
    for idx in from..to {
        let Batch { tokens, labels, weights, .. } = document(batch, idx);
        found.starts.push(found.n_rows() as u32);
        found.tokens.extend(tokens);
        found.labels.extend(labels);
        found.weights.extend(weights);
    }
    found
}

fn accumulation_does_not_matter(compute: Compute, bound: f64) {
    let fixture = Fixture::of("groups");
    let mut batch = fixture.batch("");
    // Six documents of unequal lengths and two more.
    for idx in [0, 3] {
        let more = document(&batch, idx);
        batch.starts.push(batch.n_rows() as u32);
        batch.tokens.extend(more.tokens);
        batch.labels.extend(more.labels);
        batch.weights.extend(more.weights);
    }
    // One batch of eight, two of four, eight of one, and a last one that is not full.
    let cuts: [&[usize]; 4] = [&[0, 8], &[0, 4, 8], &[0, 1, 2, 3, 4, 5, 6, 7, 8], &[0, 3, 6, 8]];
    let gradients = cuts.map(|cuts| {
        let mut learner = fixture.learner(TrainOptions::default(), compute);
        let mut loss = hala_train::learn::Loss::default();
        for pair in cuts.windows(2) {
            loss += learner.accumulate(&part(&batch, pair[0], pair[1]), 0).unwrap();
        }
        let norm = learner.update(&hala_train::learn::Update::default()).unwrap().gradient_norm;
        (loss.mean(), norm, learner.moments()[0].to_vec())
    });
    let (loss, norm, moments) = &gradients[0];
    for (other_loss, other_norm, other_moments) in &gradients[1..] {
        assert!((other_loss / loss - 1.0).abs() <= bound && (other_norm / norm - 1.0).abs() <= bound);
        assert!(relative_error(other_moments, moments) <= bound);
    }
}

#[test]
fn a_step_is_the_same_in_one_batch_and_in_eight() {
    accumulation_does_not_matter(Compute::Plain, PLAIN);
    accumulation_does_not_matter(fast(2), PLAIN);
}

#[test]
fn evaluation_gives_the_loss_of_training_on_the_same_rows() {
    for fixture in Fixture::all() {
        let options = TrainOptions { dropout: 0.5, label_smoothing: 0.2, ..TrainOptions::default() };
        let mut noisy = fixture.learner(options, Compute::Plain);
        let mut plain = fixture.learner(TrainOptions::default(), Compute::Plain);
        let batch = fixture.batch("");
        let trained = plain.accumulate(&batch, 0).unwrap();
        let evaluated = noisy.evaluate(&batch).unwrap();
        assert_eq!(trained, evaluated, "{}", fixture.name);
        assert!(noisy.gradients().iter().all(|g| *g == 0.0), "evaluation adds to no gradient");
        let dropped = [1, 1, 2].map(|seed| noisy.accumulate(&batch, seed).unwrap().sum);
        assert!(dropped[0] == dropped[1] && dropped[0] != dropped[2], "the seed decides: {dropped:?}");
    }
}

#[test]
fn rows_of_padding_change_nothing() {
    for fixture in Fixture::all() {
        let batch = fixture.batch("");
        let run = |batch: &Batch| {
            let mut learner = fixture.learner(TrainOptions::default(), Compute::Plain);
            let loss = learner.accumulate(batch, 0).unwrap();
            (loss, learner.gradients().to_vec())
        };
        let mut padded = batch.clone();
        padded.pad_to(crate::fixture::N_ROWS, 0);
        assert!(padded.n_rows() > batch.n_rows());
        assert_eq!(run(&batch), run(&padded), "{}", fixture.name);
    }
}
