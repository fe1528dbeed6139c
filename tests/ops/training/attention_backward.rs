//! `attention_backward`: documents of 1, 2, 3 and more rows, grouped queries.

use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::{attention_backward, packed_attention};

use super::alone::Alone;
use super::differences;
use super::formulas::attend;
use super::turn_heads::HEADS;

#[test]
fn gradients_of_queries_keys_and_values_are_those_of_differences() {
    for heads in HEADS {
        let mut op = Alone::new("attention_backward");
        let turned = op.input("turned", heads.width());
        let dy = op.input("dy", heads.q_width());
        let y = op.output("y", heads.q_width());
        let log_sums = op.output("log_sums", heads.n_heads as usize);
        let dturned = op.output("dturned", heads.width());
        let forward = packed_attention::Args { turned, y, log_sums, heads, scale: 0.5 };
        op.recorder.add(forward, TrainOp::PackedAttention).unwrap();
        let args = attention_backward::Args { turned, y, log_sums, dy, dturned, heads, scale: 0.5 };
        op.recorder.add(args, TrainOp::AttentionBackward).unwrap();
        let [inputs, dy] = [turned, dy].map(|id| op.wide(id));
        let ran = op.train();
        let f = |x: &[Vec<f64>]| attend(heads, 0.5, &x[0]).0;
        differences::check(f, &[inputs], &dy, &[ran.read(dturned)]);
    }
}
