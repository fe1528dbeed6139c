//! How long each step of a Plan takes on its device.

use hala_model::{LogitRows, PlanShape};
use hala_plan::{Backend, Cancel, Plan, Timing};
use serde::Serialize;

use super::Probe;
use super::batch::Batch;
use super::stepwise::Stepwise;
use crate::error::EngineError;

/// One kernel's share of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KernelTime {
    /// Index of the step of the Plan that it belongs to.
    pub step: usize,
    /// Name of the op.
    pub op: &'static str,
    /// The kernel that ran.
    pub kernel: String,
    /// The buffer that the step writes.
    pub writes: String,
    /// Bytes of weights that the step reads, the rows of look-ups left out.
    pub weight_bytes: usize,
    /// Seconds: the median of the runs.
    pub seconds: f64,
}

/// What is profiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileOptions {
    /// Tokens of the run: 1 for decoding.
    pub n_tokens: usize,
    /// Tokens that the state holds already.
    pub position: usize,
    /// Runs, after one that warms up.
    pub n_runs: usize,
}

impl<B: Backend> Probe<'_, B> {
    /// Bytes of weights that are read for every token that is decoded.
    ///
    /// # Errors
    /// The model cannot be recorded.
    pub fn weight_bytes_per_token(&self) -> Result<usize, EngineError> {
        let shape = PlanShape { n_tokens: 1, logits: LogitRows::All };
        let plan = self.engine.record(shape)?;
        Ok(plan.weight_bytes())
    }

    /// Times every kernel of a Plan, with token 0 in all places: what is computed does not change how long it takes. Of one token
    /// it is the Plan that decoding runs: where the device chooses tokens itself, it takes the likeliest.
    ///
    /// # Errors
    /// More tokens than the context holds, none at all, a device without a clock, cancellation.
    pub async fn profile(
        &self,
        options: ProfileOptions,
        cancel: &Cancel,
    ) -> Result<Vec<KernelTime>, EngineError> {
        let ProfileOptions { n_tokens, position, n_runs } = options;
        let backend = self.engine.backend();
        let logits = match n_tokens {
            1 if backend.n_ahead() > 0 => LogitRows::Chosen,
            1 => LogitRows::All,
            _ => LogitRows::Wanted(1),
        };
        let ids = vec![0; position + n_tokens];
        let mut batch = Batch::new(self.engine, &[&ids], ids.len())?;
        batch.take(self.engine, position)?;
        batch.advance();
        batch.take(self.engine, n_tokens)?;
        let mut stepwise = Stepwise::new(self.engine, PlanShape { n_tokens, logits }, batch).await?;
        let Stepwise { plan, prepared, batch, .. } = &mut stepwise;
        let (states, taken) = batch.lend();
        let mut runs = Vec::new();
        for _ in 0..=n_runs.max(1) {
            runs.push(backend.profile(prepared, states, taken.rows(cancel)).await?);
        }
        Ok(medians(plan, &runs[1..]))
    }
}

/// The median of each kernel over the runs.
fn medians(plan: &Plan, runs: &[Vec<Timing>]) -> Vec<KernelTime> {
    let of_one = |(i, timing): (usize, &Timing)| {
        let mut seconds: Vec<f64> = runs.iter().map(|run| run[i].seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let step = &plan.steps()[timing.step];
        KernelTime {
            step: timing.step,
            op: step.op.name(),
            kernel: timing.kernel.clone(),
            writes: step.outputs.first().map_or_else(String::new, |id| plan.buffer(*id).label.clone()),
            weight_bytes: plan.weight_bytes_of(step),
            seconds: seconds[seconds.len() / 2],
        }
    };
    runs[0].iter().enumerate().map(of_one).collect()
}
