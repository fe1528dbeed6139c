//! The threaded path of training: products packed for the registers, and everything else row by row.
//!
//! Threads share rows of results, and sums over rows are those of blocks of rows that do not depend on the number of threads, added in their order: so
//! results have the same bits with any number of them.

pub(crate) mod attention;
pub(crate) mod attention_backward;
pub(crate) mod concat_backward;
pub(crate) mod convolve;
pub(crate) mod convolve_backward;
pub(crate) mod dropout;
pub(crate) mod embed;
pub(crate) mod flat;
pub(crate) mod gate_backward;
pub(crate) mod gemm;
pub(crate) mod head_loss;
pub(crate) mod kernel;
pub(crate) mod matmul;
pub(crate) mod norm_backward;
pub(crate) mod turn_heads;
pub(crate) mod turn_heads_backward;

mod engine;
mod pack;
mod partial;

pub(crate) use engine::Engine;
