//! The ops that only training has, as plain loops with f64 sums: the specification that runs.

pub(crate) mod adamw;
pub(crate) mod attention_backward;
pub(crate) mod concat_backward;
pub(crate) mod convolve_backward;
pub(crate) mod dropout;
pub(crate) mod embed_backward;
pub(crate) mod forward;
pub(crate) mod gate_backward;
pub(crate) mod gradient_norm;
pub(crate) mod head_loss;
pub(crate) mod matmul_backward_input;
pub(crate) mod matmul_backward_weight;
pub(crate) mod norm_backward;
pub(crate) mod packed_attention;
pub(crate) mod packed_convolve;
pub(crate) mod turn_heads;
pub(crate) mod turn_heads_backward;
