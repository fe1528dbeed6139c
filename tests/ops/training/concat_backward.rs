//! `concat_backward`: two and three parts.

use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::concat_backward::Args;

use super::alone::Alone;
use super::differences;

#[test]
fn parts_come_back_as_they_were_put_together() {
    for widths in [&[3usize, 5][..], &[1, 33, 16]] {
        let mut op = Alone::new("concat_backward");
        let total = widths.iter().sum();
        let dy = op.input("dy", total);
        let parts: Vec<_> = widths.iter().map(|width| op.output("part", *width)).collect();
        op.recorder.add(Args { dy, parts: &parts }, TrainOp::ConcatBackward).unwrap();
        let whole = op.wide(dy);
        let ran = op.train();
        let mut start = 0;
        for (part, width) in parts.iter().zip(widths) {
            let own = |row: &[f64]| row[start..start + width].to_vec();
            let expected: Vec<f64> = whole.chunks(total).flat_map(own).collect();
            differences::same("a part", ran.read(*part), &expected);
            start += width;
        }
    }
}
