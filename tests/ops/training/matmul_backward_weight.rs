//! `matmul_backward_weight`: with and without a bias, and added to what was accumulated.

use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::matmul_backward_weight::Args;
use hala_tensor::Shape;

use super::alone::Alone;
use super::differences;
use super::formulas::product;

/// I and O.
const SHAPES: [[usize; 2]; 4] = [[1, 1], [7, 3], [16, 33], [65, 17]];

/// How often each gradient is added.
const N_TIMES: usize = 2;

#[test]
fn gradients_of_weights_are_those_of_differences_and_add_up() {
    for ([n_in, n_out], has_bias) in SHAPES.into_iter().flat_map(|shape| [(shape, false), (shape, true)]) {
        let mut op = Alone::new("matmul_backward_weight");
        let x = op.input("x", n_in);
        let w = op.param("w", Shape::matrix(n_out, n_in), 0.0);
        let b = op.param("b", Shape::vector(n_out), 0.0);
        let dy = op.input("dy", n_out);
        for _ in 0..N_TIMES {
            let db = has_bias.then(|| op.recorder.grad(b).unwrap());
            let dw = op.recorder.grad(w).unwrap();
            op.recorder.add(Args { dy, x, dw, db }, TrainOp::MatmulBackwardWeight).unwrap();
        }
        let [x, weight, bias, dy] = [x, w, b, dy].map(|id| op.wide(id));
        let ran = op.train();
        let f = |inputs: &[Vec<f64>]| {
            let mut y = product(&x, &inputs[0], n_in);
            for y in y.chunks_mut(n_out) {
                y.iter_mut().zip(&inputs[1]).for_each(|(y, b)| *y += b);
            }
            y
        };
        let twice: Vec<f64> = dy.iter().map(|dy| dy * N_TIMES as f64).collect();
        if has_bias {
            differences::check(f, &[weight, bias], &twice, &[ran.grad(w), ran.grad(b)]);
        } else {
            differences::check(|w| f(&[w[0].clone(), bias.clone()]), &[weight], &twice, &[ran.grad(w)]);
            assert!(ran.grad(b).iter().all(|g| *g == 0.0), "no bias, no gradient");
        }
    }
}
