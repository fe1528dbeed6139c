//! The ops of training: each forward pass against its formula in f64, each gradient against finite differences of that formula in f64.

mod adamw;
mod alone;
mod attention_backward;
mod concat_backward;
mod convolve_backward;
mod differences;
mod dropout;
mod embed_backward;
mod formulas;
mod gate_backward;
mod gradient_norm;
mod head_loss;
mod matmul_backward_input;
mod matmul_backward_weight;
mod norm_backward;
mod packed_attention;
mod packed_convolve;
mod turn_heads;
mod turn_heads_backward;

/// Documents of 5, 1, 2, 3 and 6 rows.
const STARTS: [u32; 5] = [0, 5, 6, 8, 11];

/// The rows of all of them.
const N_ROWS: usize = 17;

/// Their rows.
fn documents() -> impl Iterator<Item = std::ops::Range<usize>> {
    let ends = STARTS[1..].iter().map(|start| *start as usize).chain([N_ROWS]);
    STARTS.into_iter().map(|start| start as usize).zip(ends).map(|(start, end)| start..end)
}
