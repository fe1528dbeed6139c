//! `gradient_norm`: several blocks, and one that is not full.

use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::embed_backward::Args;
use hala_plan::ops::training::gradient_norm::BLOCK;
use hala_tensor::Shape;

use super::N_ROWS;
use super::alone::Alone;

#[test]
fn the_norm_is_that_of_all_gradients_together() {
    for n_vocab in [1, 2, N_ROWS] {
        let width = BLOCK / 5;
        let mut op = Alone::new("gradient_norm");
        let table = op.param("table", Shape::matrix(n_vocab, width), 0.0);
        let dy = op.input("dy", width);
        op.ids = (0..N_ROWS).map(|t| (t % n_vocab) as u32).collect();
        let dtable = op.recorder.grad(table).unwrap();
        op.recorder.add(Args { dy, dtable, scale: 1.0 }, TrainOp::EmbedBackward).unwrap();
        let mut ran = op.train();
        let squares: f64 = ran.grad(table).iter().map(|g| f64::from(*g).powi(2)).sum();
        let error = ran.gradient_norm() / squares.sqrt() - 1.0;
        assert!(error.abs() < 1e-12, "{error:e}");
    }
}
