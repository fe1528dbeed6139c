//! `dropout`: the share that is left out, what is left, and that the seed and the stream decide.

use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::dropout::Args;
use hala_plan::training::Purpose;

use super::N_ROWS;
use super::alone::Alone;

const WIDTH: usize = 600;

fn dropped(rate: f32, stream: u32, purpose: Purpose) -> Vec<f32> {
    let mut op = Alone::new("dropout");
    let x = op.input_of("x", WIDTH, vec![1.0; N_ROWS * WIDTH]);
    let y = op.output("y", WIDTH);
    op.recorder.add(Args { x, y, rate, stream }, TrainOp::Dropout).unwrap();
    op.run(purpose).read(y).to_vec()
}

#[test]
fn so_many_elements_are_left_out_and_the_mean_stays() {
    for rate in [0.1f32, 0.5, 0.9] {
        let y = dropped(rate, 3, Purpose::Train { seed: 1 });
        let n_zero = y.iter().filter(|y| **y == 0.0).count() as f64;
        // Four standard deviations of a binomial count.
        let (n, p) = (y.len() as f64, f64::from(rate));
        assert!((n_zero - n * p).abs() < 4.0 * (n * p * (1.0 - p)).sqrt(), "{n_zero} of {n} at {rate}");
        assert!(y.iter().all(|y| *y == 0.0 || *y == 1.0 / (1.0 - rate)));
    }
}

#[test]
fn the_seed_and_the_stream_decide_and_evaluation_copies() {
    let train = |stream, seed| dropped(0.5, stream, Purpose::Train { seed });
    assert_eq!(train(3, 1), train(3, 1));
    assert_ne!(train(3, 1), train(3, 2));
    assert_ne!(train(3, 1), train(4, 1));
    assert!(dropped(0.5, 3, Purpose::Evaluate).iter().all(|y| *y == 1.0));
}
