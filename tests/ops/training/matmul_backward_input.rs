//! `matmul_backward_input`: set, and added.

use hala_plan::ops::matmul::Write;
use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::matmul_backward_input::Args;
use hala_tensor::Shape;

use super::alone::Alone;
use super::differences;
use super::formulas::product;

/// I and O.
const SHAPES: [[usize; 2]; 4] = [[1, 1], [7, 3], [16, 33], [65, 17]];

#[test]
fn gradients_of_inputs_are_those_of_differences() {
    for [n_in, n_out] in SHAPES {
        let mut op = Alone::new("matmul_backward_input");
        let x = op.input("x", n_in);
        let w = op.param("w", Shape::matrix(n_out, n_in), 0.0);
        let dy = op.input("dy", n_out);
        let dx = op.output("dx", n_in);
        op.recorder.add(Args { dy, w, dx, write: Write::Set }, TrainOp::MatmulBackwardInput).unwrap();
        let [inputs, w, dy] = [x, w, dy].map(|id| op.wide(id));
        let ran = op.train();
        differences::check(|x| product(&x[0], &w, n_in), &[inputs], &dy, &[ran.read(dx)]);
    }
}

#[test]
fn what_is_added_comes_to_what_was_there() {
    let gradients = [Write::Set, Write::Add].map(|write| {
        let mut op = Alone::new("matmul_backward_input");
        let w = op.param("w", Shape::matrix(33, 18), 0.0);
        let dy = op.input("dy", 33);
        let dx = op.input("dx", 18);
        op.recorder.add(Args { dy, w, dx, write }, TrainOp::MatmulBackwardInput).unwrap();
        let before = op.wide(dx);
        (before, op.train().read(dx).to_vec())
    });
    let [(before, set), (_, added)] = gradients;
    let expected: Vec<f64> = before.iter().zip(&set).map(|(before, set)| before + f64::from(*set)).collect();
    differences::same("the sum", &added, &expected);
}
