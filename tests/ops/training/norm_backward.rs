//! `norm_backward`: of RMS and layer norms, set and added.

use hala_plan::ops::matmul::{Norm, Write};
use hala_plan::ops::norm::Kind;
use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::norm_backward::Args;
use hala_tensor::Shape;

use super::alone::Alone;
use super::differences;
use super::formulas::norm;

const WIDTHS: [usize; 4] = [2, 7, 33, 66];
const EPS: f32 = 0.25;

#[test]
fn gradients_of_norms_are_those_of_differences() {
    for (width, kind) in WIDTHS.into_iter().flat_map(|width| [(width, Kind::Rms), (width, Kind::Layer)]) {
        for write in [Write::Set, Write::Add] {
            let mut op = Alone::new("norm_backward");
            let [x, dy, dx] = ["x", "dy", "dx"].map(|label| op.input(label, width));
            let weight = op.param("weight", Shape::vector(width), 1.0);
            let (norm_of, dw) = (Norm { weight, eps: EPS }, op.recorder.grad(weight).unwrap());
            let args = Args { x, norm: norm_of, kind, dy, dx, dw, write };
            op.recorder.add(args, TrainOp::NormBackward).unwrap();
            let [inputs, values, dy, before] = [x, weight, dy, dx].map(|id| op.wide(id));
            let ran = op.train();
            let found: Vec<f32> = match write {
                Write::Set => ran.read(dx).to_vec(),
                Write::Add => {
                    ran.read(dx).iter().zip(before).map(|(x, b)| (f64::from(*x) - b) as f32).collect()
                }
            };
            let f = |x: &[Vec<f64>]| norm(&x[0], &x[1], f64::from(EPS), kind == Kind::Layer);
            differences::check(f, &[inputs, values], &dy, &[&found, ran.grad(weight)]);
        }
    }
}
