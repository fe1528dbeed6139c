//! `y = x ⊙ m / (1 − rate)`, where each element of `m` is 0 with the probability `rate` and else 1; its gradient is the same op on `dy`.
//!
//! The draw of an element is a hash of the run's seed, the op's stream and the element's index, so nothing is kept for the backward pass. A run that
//! evaluates copies. Source: Srivastava et al., JMLR 15 (2014). Inputs: `x [T, D]`. Outputs: `y [T, D]`.

use crate::buffer::BufferId;
use crate::declared::Declared;
use crate::error::PlanError;
use crate::spec::{Io, Record, Recorded};

/// The op's name.
pub const NAME: &str = "dropout";

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Params {
    /// D, columns.
    pub width: u32,
    /// The probability of an element to be 0.
    pub rate: f32,
    /// Tells the draws of one op from another's; the same in both directions.
    pub stream: u32,
}

/// The increment of SplitMix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Params {
    /// What an element is multiplied with. Source of the hash: SplitMix64 (Steele et al., OOPSLA 2014).
    pub fn factor(&self, seed: u64, element: u64) -> f32 {
        let key = mix(seed.wrapping_add(GOLDEN.wrapping_mul(u64::from(self.stream) + 1)));
        let draw = mix(key.wrapping_add(GOLDEN.wrapping_mul(element + 1)));
        // The upper 24 bits, which f32 holds exactly.
        let share = (draw >> 40) as f32 / (1u32 << 24) as f32;
        if share < self.rate { 0.0 } else { 1.0 / (1.0 - self.rate) }
    }
}

fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The buffers and choices of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, D]`.
    pub x: BufferId,
    /// `[T, D]`.
    pub y: BufferId,
    /// The probability of an element to be 0.
    pub rate: f32,
    /// Tells the draws of one op from another's.
    pub stream: u32,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        Self { x: io.inputs[0], y: io.outputs[0], rate: params.rate, stream: params.stream }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, `y` as `x`, or a rate that is no share.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { x, y, rate, stream } = self;
        if !(0.0..1.0).contains(&rate) {
            let what = format!("a dropout rate of {rate}, and it must be from 0 to below 1");
            return Err(PlanError::Parameter { op: NAME, what });
        }
        let width = declared.shape(x).n_columns();
        declared.expect_beside(NAME, [x, y], width)?;
        Ok(Recorded {
            params: Params { width: width as u32, rate, stream },
            inputs: vec![x],
            outputs: vec![y],
        })
    }
}
