//! How far a result may be from the truth: the plan's tolerances of single ops, and those of tests alone, with the reason for each size.
//!
//! Test data are scaled so that the rows of every result have a magnitude of about 1. An error is measured against the
//! row's root mean square, or against 1 where that is smaller, so that a sum which happens to cancel is not held to
//! its own tiny size.

pub use hala_plan::tolerance::{
    EXACT, F16_ATTENTION, F16_CELL, F32_SUMS, INT8_OUTLIER, ROUNDED_STEP, Tolerance, attention, cache, gated,
    product,
};

/// The plain run against the formula in f64: results, norms and gates are rounded to f32 (6e-8 of their size), and the
/// largest elements of a gated product are ten times the row's magnitude.
pub const PLAIN: Tolerance = Tolerance { max: 3e-6, rms: 3e-7 };

/// Logits after a block of each kind, everything in f32: each of a dozen products adds its share of [`F32_SUMS`].
pub const F32_BLOCKS: Tolerance = Tolerance { max: 1e-4, rms: 2e-5 };

/// As [`F32_BLOCKS`], with an f16 cache: [`F16_ATTENTION`] through the output projection.
pub const F16_BLOCKS: Tolerance = Tolerance { max: 5e-3, rms: 1e-3 };

/// As [`F32_BLOCKS`], with int8 weights: the errors of [`INT8_PRODUCT`](hala_plan::tolerance::INT8_PRODUCT) and
/// [`INT8_GATED`](hala_plan::tolerance::INT8_GATED) meet in the residual stream.
pub const INT8_BLOCKS: Tolerance = Tolerance { max: 2e-3, rms: 4e-4 };
