//! `convolve_backward`: 2 to 4 taps, documents shorter than the taps reach.

use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::convolve_backward::{Args, Bias};
use hala_tensor::Shape;

use super::alone::Alone;
use super::differences;
use super::formulas::convolve;

#[test]
fn gradients_of_the_convolution_are_those_of_differences() {
    for (n_taps, width) in [(2, 1), (3, 7), (4, 18)] {
        for has_bias in [false, true] {
            let mut op = Alone::new("convolve_backward");
            let projected = op.input("projected", 3 * width);
            let taps = op.param("taps", Shape::matrix(width, n_taps), 0.0);
            let bias = op.param("bias", Shape::vector(width), 0.0);
            let dy = op.input("dy", width);
            let dprojected = op.output("dprojected", 3 * width);
            let (dtaps, dbias) = (op.recorder.grad(taps).unwrap(), op.recorder.grad(bias).unwrap());
            let of_bias = has_bias.then_some(Bias { bias, dbias });
            let args = Args { projected, taps, dy, dprojected, dtaps, bias: of_bias };
            op.recorder.add(args, TrainOp::ConvolveBackward).unwrap();
            let [x, t, b, dy] = [projected, taps, bias, dy].map(|id| op.wide(id));
            let ran = op.train();
            let found = [ran.read(dprojected), ran.grad(taps), ran.grad(bias)];
            if has_bias {
                let f = |x: &[Vec<f64>]| convolve(&x[0], &x[1], &x[2], n_taps);
                differences::check(f, &[x, t, b], &dy, &found);
            } else {
                let f = |x: &[Vec<f64>]| convolve(&x[0], &x[1], &[], n_taps);
                differences::check(f, &[x, t], &dy, &found[..2]);
            }
        }
    }
}
