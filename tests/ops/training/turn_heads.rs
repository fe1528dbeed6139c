//! `turn_heads`: positions begin anew with each document.

use hala_plan::ops::rope_kv::{Norms, Pairs, Turn};
use hala_plan::ops::training::TrainOp;
use hala_plan::ops::training::turn_heads::{Args, Heads};
use hala_tensor::Shape;

use super::alone::Alone;
use super::differences;
use super::formulas::{Turning, rope, turn};

/// Positions of the table.
pub(super) const N_POSITIONS: usize = 8;

/// ε of norms.
pub(super) const EPS: f32 = 0.125;

/// Query heads, key/value heads and their sizes.
pub(super) const HEADS: [Heads; 3] = [
    Heads { n_heads: 1, n_kv_heads: 1, head_size: 2 },
    Heads { n_heads: 4, n_kv_heads: 2, head_size: 6 },
    Heads { n_heads: 6, n_kv_heads: 2, head_size: 20 },
];

#[test]
fn heads_are_normalised_and_turned_by_their_position_in_the_document() {
    for (heads, pairs) in HEADS.into_iter().flat_map(|h| [(h, Pairs::Halves), (h, Pairs::Neighbours)]) {
        for has_norms in [false, true] {
            let size = heads.head_size as usize;
            let mut op = Alone::new("turn_heads");
            let angles = rope(N_POSITIONS, size);
            let qkv = op.input("qkv", heads.width());
            let [q, k] = ["q", "k"].map(|label| op.param(label, Shape::vector(size), 1.0));
            let norms = has_norms.then_some(Norms { q, k, eps: EPS });
            let table = op.table("rope", Shape::matrix(N_POSITIONS, size), angles.clone());
            let turned = op.output("turned", heads.width());
            let args = Args { qkv, norms, turn: Some(Turn { table, pairs }), turned, heads };
            op.recorder.add(args, TrainOp::TurnHeads).unwrap();
            let [qkv, q, k] = [qkv, q, k].map(|id| op.wide(id));
            let neighbours = pairs == Pairs::Neighbours;
            let turning = Turning { heads, eps: f64::from(EPS), rope: &angles, neighbours };
            let expected = turn(&turning, &qkv, has_norms.then_some([&q, &k]));
            differences::same("turned heads", op.train().read(turned), &expected);
        }
    }
}
