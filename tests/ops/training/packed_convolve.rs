//! `packed_convolve`: 2 to 4 taps, documents shorter than the taps reach.

use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::packed_convolve::Args;
use hala_tensor::Shape;

use super::alone::Alone;
use super::differences;
use super::formulas::convolve;

#[test]
fn taps_stay_inside_of_documents() {
    for (n_taps, width) in [(2, 1), (3, 7), (4, 18), (3, 65)] {
        for has_bias in [false, true] {
            let mut op = Alone::new("packed_convolve");
            let projected = op.input("projected", 3 * width);
            let taps = op.param("taps", Shape::matrix(width, n_taps), 0.0);
            let bias = has_bias.then(|| op.param("bias", Shape::vector(width), 0.0));
            let y = op.output("y", width);
            op.recorder.add(Args { projected, taps, bias, y }, TrainOp::PackedConvolve).unwrap();
            let [projected, taps] = [projected, taps].map(|id| op.wide(id));
            let bias = bias.map_or(Vec::new(), |bias| op.wide(bias));
            let expected = convolve(&projected, &taps, &bias, n_taps);
            differences::same("the convolution", op.train().read(y), &expected);
        }
    }
}
