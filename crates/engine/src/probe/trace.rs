//! A Plan with the statistics of every buffer that it writes, step by step.

use hala_plan::{Backend, BufferKind, Cancel, Plan};
use serde::Serialize;

use super::Probe;
use super::run::ProbeRun;
use super::stepwise::Stepwise;
use crate::error::EngineError;

/// What one buffer held after a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BufferStatistics {
    /// The buffer's label.
    pub label: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Least value.
    pub min: f32,
    /// Greatest value.
    pub max: f32,
    /// Mean.
    pub mean: f64,
    /// Root of the mean square.
    pub rms: f64,
    /// Values that are NaN or infinite.
    pub n_not_finite: usize,
}

/// One step of a Plan that was run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepTrace {
    /// Index of the step.
    pub step: usize,
    /// Name of the op.
    pub op: &'static str,
    /// The buffers that it read, by label.
    pub inputs: Vec<String>,
    /// The buffers that it wrote.
    pub outputs: Vec<BufferStatistics>,
}

impl<B: Backend> Probe<'_, B> {
    /// Makes a run through a Plan of its length, with the logits of each row, one step at a time, and tells what each step wrote.
    ///
    /// # Errors
    /// Prompts that do not fit, cancellation.
    pub async fn trace(
        &self,
        run: &ProbeRun<'_>,
        cancel: &Cancel,
    ) -> Result<(Plan, Vec<StepTrace>), EngineError> {
        let mut stepwise = Stepwise::of_run(self.engine, run, cancel).await?;
        let plan = stepwise.plan.clone();
        let mut steps = Vec::new();
        let mut values = Vec::new();
        for (i, step) in plan.steps().iter().enumerate() {
            stepwise.run(i..i + 1, cancel).await?;
            let mut outputs = Vec::new();
            for id in &step.outputs {
                let buffer = plan.buffer(*id);
                // A KV cache is mostly empty: its numbers would say nothing.
                if !matches!(buffer.kind, BufferKind::State(..)) {
                    stepwise.read(*id, &mut values).await?;
                    outputs.push(statistics(&buffer.label, buffer.shape.dims(), &values));
                }
            }
            let inputs = step.inputs.iter().map(|id| plan.buffer(*id).label.clone()).collect();
            steps.push(StepTrace { step: i, op: step.op.name(), inputs, outputs });
        }
        Ok((plan, steps))
    }
}

fn statistics(label: &str, shape: &[usize], values: &[f32]) -> BufferStatistics {
    let n = values.len().max(1) as f64;
    BufferStatistics {
        label: label.to_owned(),
        shape: shape.to_vec(),
        min: values.iter().copied().fold(f32::INFINITY, f32::min),
        max: values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        mean: values.iter().map(|x| f64::from(*x)).sum::<f64>() / n,
        rms: (values.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>() / n).sqrt(),
        n_not_finite: values.iter().filter(|x| !x.is_finite()).count(),
    }
}
