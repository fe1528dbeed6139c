//! What a comparison of two runs found, step by step.

use std::fmt;

use serde::Serialize;

/// A run compared with the same of another backend.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// What was run: `prefill` or `decode`.
    pub run: &'static str,
    /// T, the most rows that the Plan takes.
    pub n_tokens: usize,
    /// Rows of the run.
    pub n_rows: usize,
    /// The steps that both backends have, in their order.
    pub steps: Vec<StepComparison>,
}

/// One step that both backends made from the same inputs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepComparison {
    /// Index of the step in the Plan that was looked into.
    pub step: usize,
    /// Name of the op.
    pub op: &'static str,
    /// What it wrote.
    pub outputs: Vec<BufferComparison>,
}

/// What a step wrote of one buffer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BufferComparison {
    /// The buffer's label.
    pub label: String,
    /// Rows that were compared.
    pub n_rows: usize,
    /// Elements of each.
    pub n_columns: usize,
    /// The largest error of an element, relative to the root mean square of its row, or of what was added to the row. Infinite, in JSON
    /// null, where it is no number.
    pub error: f64,
    /// Root of the mean square of the errors.
    pub mean_error: f64,
    /// The largest error that is allowed.
    pub allowed: f64,
    /// The larger of the two errors as a share of what is allowed of it: above 1 the step departs.
    pub share: f64,
    /// The element with the largest error.
    pub worst: Option<Worst>,
}

/// Where two backends are furthest apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Worst {
    /// Row of the run.
    pub row: usize,
    /// The prompt that the row is of.
    pub prompt: usize,
    /// Its position there.
    pub position: usize,
    /// Element of what the row writes.
    pub column: usize,
    /// The value, in JSON null where it is no number.
    pub found: f32,
    /// The value that it should have.
    pub expected: f32,
}

/// The first step that departs, as a sentence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Departure<'a> {
    /// The step.
    pub step: &'a StepComparison,
    /// What it wrote wrongly.
    pub buffer: &'a BufferComparison,
}

impl BufferComparison {
    /// Whether it is further off than rounding explains.
    pub fn departs(&self) -> bool {
        self.share > 1.0
    }
}

impl Comparison {
    /// Every buffer that a step wrote.
    pub fn buffers(&self) -> impl Iterator<Item = Departure<'_>> {
        self.steps.iter().flat_map(|step| step.outputs.iter().map(move |buffer| Departure { step, buffer }))
    }

    /// The first step that departs.
    pub fn first_departure(&self) -> Option<Departure<'_>> {
        self.buffers().find(|at| at.buffer.departs())
    }

    /// The buffer that is furthest off for what is allowed of it.
    pub fn furthest(&self) -> Option<Departure<'_>> {
        self.buffers().max_by(|a, b| a.buffer.share.total_cmp(&b.buffer.share))
    }
}

impl fmt::Display for Departure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, buffer } = self;
        write!(f, "step {}, {} {}, is the first that departs", step.step, step.op, buffer.label)?;
        if buffer.error <= buffer.allowed {
            return write!(
                f,
                ": no element by much, but all by {:.1e} of their rows in the mean",
                buffer.mean_error
            );
        }
        match &buffer.worst {
            Some(worst) => write!(f, ": {worst}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Worst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, column, found, expected, .. } = self;
        write!(f, "row {row}, column {column}: {} instead of {}", Short(*found), Short(*expected))
    }
}

/// A number with some four digits.
struct Short(f32);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        let is_plain = size == 0.0 || !size.is_finite() || (1e-2..1e5).contains(&size);
        if is_plain { write!(f, "{:.4}", self.0) } else { write!(f, "{:.3e}", self.0) }
    }
}
