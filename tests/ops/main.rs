//! Every op on every backend: against its formula in f64, and against the plain run.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod add;
mod attention;
mod batches;
mod blocks;
mod concat;
mod convolve;
mod counts;
mod embed;
mod formulas;
mod gate;
mod gather;
mod heads;
mod layouts;
mod matmul;
mod norm;
mod refusals;
mod rope_kv;
mod round;
mod runs;
mod sample;
mod short_conv;
mod softcap;
mod swiglu;
mod training;

use hala_tensor::DType;

/// Sizes around the widths of vector registers, of threads' shares and of quantised groups.
const SIZES: [usize; 4] = [1, 31, 129, 1025];

/// Every matrix of two of [`SIZES`], inputs first, in every type of [`WEIGHTS`].
fn matrices() -> impl Iterator<Item = (usize, usize, DType)> {
    let shapes = SIZES.iter().flat_map(|n_in| SIZES.map(|n_out| (*n_in, n_out)));
    shapes.flat_map(|(i, o)| WEIGHTS.map(|dtype| (i, o, dtype)))
}

/// Tokens in a run: decode, a few, and around what kernels take at once.
const TOKENS: [usize; 8] = [1, 2, 3, 4, 5, 6, 31, 33];

/// Elements of a matrix whose f64 sums take long.
const LARGE: usize = 1 << 20;

/// Numbers of tokens for the `idx`th row of a table of shapes, each in every type of [`WEIGHTS`]: one token, the most, and another in turn, so that
/// every type meets every number, and every shape. A large matrix, of so many elements, has one token alone.
fn some_tokens(idx: usize, n_elements: usize) -> Vec<usize> {
    let (shape, dtype) = (idx / WEIGHTS.len(), idx % WEIGHTS.len());
    if n_elements >= LARGE { vec![1] } else { vec![1, TOKENS[1 + (shape + dtype) % 6], 33] }
}

/// What a weight may be held in.
const WEIGHTS: [DType; 9] = [
    DType::F32,
    DType::F16,
    DType::BF16,
    DType::E4M3,
    DType::Int8 { group: 32 },
    DType::Int8 { group: 64 },
    DType::Int8 { group: 128 },
    DType::Int4 { group: 32 },
    DType::Int4 { group: 128 },
];

/// ε of most norms.
const EPS: f32 = 1e-5;
