//! `√(Σ g²)` over the flat buffer of gradients, by which they are clipped.
//!
//! The sum is one of blocks of [`BLOCK`] elements, each summed in its order, and these are summed in theirs, in f64: the same bits with any number of
//! threads. Inputs: `g [N]`. It is no step of a Plan: the flat buffers are the optimizer's.

/// The op's name.
pub const NAME: &str = "gradient_norm";

/// Elements whose squares are summed together.
pub const BLOCK: usize = 4096;
