//! `turn_heads_backward`: with and without norms, both kinds of pairs.

use hala_plan::ops::rope_kv::{Norms, Pairs, Turn};
use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::turn_heads_backward::Args;
use hala_tensor::Shape;

use super::alone::Alone;
use super::differences;
use super::formulas::{Turning, rope, turn};
use super::turn_heads::{EPS, HEADS, N_POSITIONS};

#[test]
fn gradients_of_heads_are_those_of_differences() {
    for (heads, pairs) in HEADS.into_iter().flat_map(|h| [(h, Pairs::Halves), (h, Pairs::Neighbours)]) {
        for has_norms in [false, true] {
            let size = heads.head_size as usize;
            let mut op = Alone::new("turn_heads_backward");
            let angles = rope(N_POSITIONS, size);
            let [qkv, dturned] = ["qkv", "dturned"].map(|label| op.input(label, heads.width()));
            let [q, k] = ["q", "k"].map(|label| op.param(label, Shape::vector(size), 1.0));
            let norms = has_norms.then_some(Norms { q, k, eps: EPS });
            let dnorms = has_norms.then(|| [q, k].map(|id| op.recorder.grad(id).unwrap()));
            let table = op.table("rope", Shape::matrix(N_POSITIONS, size), angles.clone());
            let dqkv = op.output("dqkv", heads.width());
            let turned = Some(Turn { table, pairs });
            let args = Args { qkv, dturned, norms, turn: turned, dqkv, dnorms, heads };
            op.recorder.add(args, TrainOp::TurnHeadsBackward).unwrap();
            let [inputs, dy, q_values, k_values] = [qkv, dturned, q, k].map(|id| op.wide(id));
            let ran = op.train();
            let neighbours = pairs == Pairs::Neighbours;
            let turning = Turning { heads, eps: f64::from(EPS), rope: &angles, neighbours };
            if has_norms {
                let f = |x: &[Vec<f64>]| turn(&turning, &x[0], Some([&x[1], &x[2]]));
                let found = [ran.read(dqkv), ran.grad(q), ran.grad(k)];
                differences::check(f, &[inputs, q_values, k_values], &dy, &found);
            } else {
                let f = |x: &[Vec<f64>]| turn(&turning, &x[0], None);
                differences::check(f, &[inputs], &dy, &[ran.read(dqkv)]);
            }
        }
    }
}
