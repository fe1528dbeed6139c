//! `head_loss`: rows with and without labels, weights, smoothing, chunks of few rows.

use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::head_loss::Args;
use hala_plan::training::{IGNORE, Purpose};
use hala_tensor::Shape;

use super::N_ROWS;
use super::alone::Alone;
use super::differences;
use super::formulas::{cross_entropy, product};

/// V, D, and rows of a chunk.
const SHAPES: [[usize; 3]; 4] = [[2, 1, 1], [9, 7, 4], [33, 16, 17], [65, 34, 5]];

/// Runs the op, and gives `x` and the head in f64 with where they are.
fn run([n_vocab, width, n_chunk]: [usize; 3], smoothing: f32, purpose: Purpose) -> Scored {
    let mut op = Alone::new("head_loss");
    let x = op.input("x", width);
    let head = op.param("head", Shape::matrix(n_vocab, width), 0.0);
    let (losses, dx) = (op.output("losses", 1), op.output("dx", width));
    let dhead = op.recorder.grad(head).unwrap();
    let logits = op.recorder.room("logits", Shape::matrix(n_chunk, n_vocab));
    op.labels = (0..N_ROWS).map(|t| if t % 3 == 1 { IGNORE } else { (t * 5 % n_vocab) as u32 }).collect();
    op.weights = (0..N_ROWS).map(|t| if t % 3 == 1 { 0.0 } else { 0.5 + t as f32 / 8.0 }).collect();
    let args = Args { x, head, losses, dx, dhead, logits, smoothing };
    op.recorder.add(args, TrainOp::HeadLoss).unwrap();
    let (wide, labels, weights) = ([op.wide(x), op.wide(head)], op.labels.clone(), op.weights.clone());
    let ran = op.run(purpose);
    let read = |id| ran.read(id).to_vec();
    Scored { wide, labels, weights, losses: read(losses), dx: read(dx), dhead: ran.grad(head).to_vec() }
}

/// What was read and written.
#[derive(Debug)]
struct Scored {
    /// `x [T, D]` and `head [V, D]`.
    wide: [Vec<f64>; 2],
    labels: Vec<u32>,
    weights: Vec<f32>,
    losses: Vec<f32>,
    dx: Vec<f32>,
    dhead: Vec<f32>,
}

impl Scored {
    /// The losses of rows, 0 where there is no label.
    fn losses(&self, [x, head]: [&[f64]; 2], smoothing: f32) -> Vec<f64> {
        let width = x.len() / N_ROWS;
        let logits = product(x, head, width);
        let row = |(logits, label): (&[f64], &u32)| {
            let is_label = *label != IGNORE;
            if is_label { cross_entropy(logits, *label as usize, f64::from(smoothing)) } else { 0.0 }
        };
        logits.chunks(head.len() / width).zip(&self.labels).map(row).collect()
    }
}

#[test]
fn gradients_of_the_weighted_loss_are_those_of_differences() {
    for (shape, smoothing) in SHAPES.into_iter().flat_map(|shape| [(shape, 0.0), (shape, 0.1)]) {
        let ran = run(shape, smoothing, Purpose::Train { seed: 0 });
        let [x, head] = &ran.wide;
        differences::same("losses", &ran.losses, &ran.losses([x, head], smoothing));
        let weights: Vec<f64> = ran.weights.iter().copied().map(f64::from).collect();
        let f = |inputs: &[Vec<f64>]| ran.losses([&inputs[0], &inputs[1]], smoothing);
        differences::check(f, &ran.wide, &weights, &[&ran.dx, &ran.dhead]);
    }
}

#[test]
fn evaluation_writes_losses_without_smoothing_and_no_gradient() {
    for shape in SHAPES {
        let ran = run(shape, 0.1, Purpose::Evaluate);
        let [x, head] = &ran.wide;
        differences::same("losses", &ran.losses, &ran.losses([x, head], 0.0));
        assert!(ran.dhead.iter().all(|g| *g == 0.0));
    }
}
