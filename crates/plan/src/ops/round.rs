//! `y = round(x)`: inputs of a product rounded token by token, as engines do that multiply codes.
//!
//! `y = q(x / s) · s`, with `q` the nearest int8 or E4M3 and `s` one number for all tokens, or of each group of columns its largest
//! magnitude over half of the codes' range; see [`Rounding`]. Inputs: `x [T, I]`. Outputs: `y [T, I]`, another buffer than `x`.

use bytemuck::{Pod, Zeroable};
use hala_tensor::{Rounded, Rounding};

use crate::buffer::{Buffer, BufferId};
use crate::declared::{Declared, expect_positive};
use crate::error::PlanError;
use crate::spec::{Counted, Io, OpSpec, Record, Recorded, Work};
use crate::tolerance::{ROUNDED_STEP, Tolerance};

/// The op's name.
pub const NAME: &str = "round";

/// Sizes and choices, as kernels read them.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Params {
    /// I, columns.
    pub n_columns: u32,
    /// Columns that share a scale.
    pub group: u32,
    /// The scale of all tokens; 0 where each has its own.
    pub scale: f32,
    /// 1 for E4M3, else int8.
    pub e4m3: u32,
}

impl Params {
    /// The same in words.
    pub fn rounding(&self) -> Rounding {
        Rounding {
            to: if self.e4m3 == 1 { Rounded::E4M3 } else { Rounded::Int8 },
            group: Some(self.group as usize),
            scale: (self.scale > 0.0).then_some(self.scale),
        }
    }
}

/// The buffers of one step.
#[derive(Debug, Clone, Copy)]
pub struct Args {
    /// `[T, I]`.
    pub x: BufferId,
    /// How.
    pub rounding: Rounding,
    /// `[T, I]`.
    pub y: BufferId,
}

impl Args {
    /// The buffers of a step recorded as this op.
    pub fn of(io: Io<'_>, params: &Params) -> Self {
        Self { x: io.inputs[0], rounding: params.rounding(), y: io.outputs[0] }
    }
}

impl Record for Args {
    type Params = Params;

    /// # Errors
    /// Shapes that do not fit together, one buffer as both `x` and `y`, an empty group, a scale that is no number above 0.
    fn record(self, declared: &Declared) -> Result<Recorded<Params>, PlanError> {
        let Args { x, rounding, y } = self;
        let n_columns = declared.shape(x).n_columns();
        let group = rounding.group.unwrap_or(n_columns).min(n_columns);
        if group == 0 {
            return Err(PlanError::Parameter { op: NAME, what: "a group of no columns".to_owned() });
        }
        if let Some(scale) = rounding.scale {
            expect_positive(NAME, "scale", scale)?;
        }
        declared.expect_beside(NAME, [x, y], n_columns)?;
        let params = Params {
            n_columns: n_columns as u32,
            group: group as u32,
            scale: rounding.scale.unwrap_or(0.0),
            e4m3: (rounding.to == Rounded::E4M3).into(),
        };
        Ok(Recorded { params, inputs: vec![x], outputs: vec![y] })
    }
}

impl OpSpec for Params {
    fn name(&self) -> &'static str {
        NAME
    }

    fn tolerance(&self, _io: Io<'_>, _buffers: &[Buffer], _output: BufferId) -> Option<Tolerance> {
        Some(ROUNDED_STEP)
    }

    fn work(&self, _run: &Counted<'_>) -> Work {
        Work { sizes: self.n_columns.to_string(), ..Work::default() }
    }
}
