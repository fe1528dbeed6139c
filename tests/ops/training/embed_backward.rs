//! `embed_backward`: ids that come often, and ids that never come.

use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::embed_backward::Args;
use hala_tensor::Shape;

use super::N_ROWS;
use super::alone::Alone;
use super::differences;

const N_VOCAB: usize = 9;
const SCALE: f32 = 1.5;

#[test]
fn gradients_of_the_table_are_those_of_differences() {
    for width in [1, 7, 40] {
        let mut op = Alone::new("embed_backward");
        let table = op.param("table", Shape::matrix(N_VOCAB, width), 0.0);
        let dy = op.input("dy", width);
        op.ids = (0..N_ROWS).map(|t| [3, 3, 0, 8][t % 4]).collect();
        let dtable = op.recorder.grad(table).unwrap();
        op.recorder.add(Args { dy, dtable, scale: SCALE }, TrainOp::EmbedBackward).unwrap();
        let ([values, dy], ids) = ([table, dy].map(|id| op.wide(id)), op.ids.clone());
        let ran = op.train();
        let f = |table: &[Vec<f64>]| -> Vec<f64> {
            let row = |id: &u32| table[0][*id as usize * width..][..width].to_vec();
            ids.iter().flat_map(row).map(|x| x * f64::from(SCALE)).collect()
        };
        differences::check(f, &[values], &dy, &[ran.grad(table)]);
    }
}
