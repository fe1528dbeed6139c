//! `packed_attention`: documents of 1, 2, 3 and more rows, grouped queries.

use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::packed_attention::Args;

use super::alone::Alone;
use super::differences;
use super::formulas::attend;
use super::turn_heads::HEADS;

#[test]
fn rows_see_their_own_document_up_to_themselves() {
    for heads in HEADS {
        let mut op = Alone::new("packed_attention");
        let turned = op.input("turned", heads.width());
        let y = op.output("y", heads.q_width());
        let log_sums = op.output("log_sums", heads.n_heads as usize);
        let args = Args { turned, y, log_sums, heads, scale: 0.5 };
        op.recorder.add(args, TrainOp::PackedAttention).unwrap();
        let (expected, sums) = attend(heads, 0.5, &op.wide(turned));
        let ran = op.train();
        differences::same("attention", ran.read(y), &expected);
        differences::same("logarithms of sums", ran.read(log_sums), &sums);
    }
}
