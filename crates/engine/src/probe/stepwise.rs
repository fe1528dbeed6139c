//! A Plan that is run one step at a time, so that buffers can be read and written between two of them.

use std::ops::Range;

use hala_model::{LogitRows, PlanShape};
use hala_plan::{Backend, BufferId, Cancel, Plan, Reading};

use super::batch::Batch;
use super::run::{ProbeRun, Stretch};
use super::written::{WrittenRow, written};
use crate::engine::Engine;
use crate::error::EngineError;

/// Rows at once of what comes before the rows that are looked into.
const ROWS_BEFORE: usize = 64;

/// A Plan made ready, and the rows that it is run with.
#[derive(Debug)]
pub(crate) struct Stepwise<'e, B: Backend> {
    engine: &'e Engine<B>,
    pub(crate) plan: Plan,
    pub(crate) prepared: B::Prepared,
    /// The rows of the run are those that were taken of it.
    pub(crate) batch: Batch<B>,
}

impl<'e, B: Backend> Stepwise<'e, B> {
    /// The Plan of a shape, for rows of a batch.
    ///
    /// # Errors
    /// A model that cannot be recorded so, or no memory.
    pub(crate) async fn new(
        engine: &'e Engine<B>,
        shape: PlanShape,
        batch: Batch<B>,
    ) -> Result<Self, EngineError> {
        Self::with_plan(engine, engine.record(shape)?, batch).await
    }

    /// A Plan of the engine's model, whichever backend its steps were joined for.
    ///
    /// # Errors
    /// A step that the backend cannot run, or no memory.
    pub(crate) async fn with_plan(
        engine: &'e Engine<B>,
        plan: Plan,
        batch: Batch<B>,
    ) -> Result<Self, EngineError> {
        let prepared = engine.backend().prepare(&plan, engine.weights()).await?;
        Ok(Self { engine, plan, prepared, batch })
    }

    /// The Plan for just the rows of a run, with the logits of each; what comes before them is computed.
    ///
    /// # Errors
    /// Prompts that do not fit, no memory, cancellation.
    pub(crate) async fn of_run(
        engine: &'e Engine<B>,
        run: &ProbeRun<'_>,
        cancel: &Cancel,
    ) -> Result<Self, EngineError> {
        let stretches = run.stretches(engine)?;
        let batch = Self::computed_before(engine, run, &stretches, cancel).await?;
        let shape = PlanShape { n_tokens: batch.n_rows(), logits: LogitRows::All };
        Self::new(engine, shape, batch).await
    }

    /// Prompts whose rows before those of a run are computed; those are taken.
    ///
    /// # Errors
    /// No memory, cancellation, a lost device.
    pub(crate) async fn computed_before(
        engine: &'e Engine<B>,
        run: &ProbeRun<'_>,
        stretches: &[Stretch],
        cancel: &Cancel,
    ) -> Result<Batch<B>, EngineError> {
        let mut batch = Self::room(engine, run, stretches)?;
        let starts: Vec<usize> = stretches.iter().map(|stretch| stretch.start).collect();
        if starts.iter().any(|start| *start > 0) {
            let logits = LogitRows::Wanted(run.prompts.len());
            let shape = PlanShape { n_tokens: ROWS_BEFORE, logits };
            let mut before = Self::new(engine, shape, batch).await?;
            let body = 0..before.plan.n_body();
            while !before.batch.take_to(engine, &starts, ROWS_BEFORE)?.is_empty() {
                before.run(body.clone(), cancel).await?;
                before.batch.advance();
            }
            batch = before.batch;
        }
        take_all(engine, &mut batch, stretches)?;
        Ok(batch)
    }

    /// The same memory with nothing computed in it: what comes before is another engine's to give.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn taken_before(
        engine: &Engine<B>,
        run: &ProbeRun<'_>,
        stretches: &[Stretch],
    ) -> Result<Batch<B>, EngineError> {
        let mut batch = Self::room(engine, run, stretches)?;
        let starts: Vec<usize> = stretches.iter().map(|stretch| stretch.start).collect();
        while !batch.take_to(engine, &starts, ROWS_BEFORE)?.is_empty() {
            batch.advance();
        }
        take_all(engine, &mut batch, stretches)?;
        Ok(batch)
    }

    fn room(engine: &Engine<B>, run: &ProbeRun<'_>, stretches: &[Stretch]) -> Result<Batch<B>, EngineError> {
        let n_rows = stretches.iter().map(|stretch| stretch.end - stretch.start).max().unwrap_or(1);
        Batch::new(engine, run.prompts, n_rows.max(ROWS_BEFORE))
    }

    /// Runs some steps.
    ///
    /// # Errors
    /// Rows that do not fit, cancellation, a lost device.
    pub(crate) async fn run(&mut self, steps: Range<usize>, cancel: &Cancel) -> Result<(), EngineError> {
        let (states, taken) = self.batch.lend();
        let rows = taken.rows(cancel);
        Ok(self.engine.backend().run_steps(&mut self.prepared, states, rows, steps).await?)
    }

    /// Reads a buffer: of activations the rows that the run has, of a state all pages or slots.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) async fn read(&mut self, buffer: BufferId, out: &mut Vec<f32>) -> Result<(), EngineError> {
        let (states, taken) = self.batch.lend();
        let n_rows = self.plan.n_rows_of(buffer, &taken.rows(&Cancel::new()));
        let reading = Reading { buffer, n_rows };
        Ok(self.engine.backend().read(&self.prepared, states, reading, out).await?)
    }

    /// What the rows of the run write of a buffer.
    pub(super) fn written(&mut self, buffer: BufferId) -> Vec<WrittenRow> {
        let (_, taken) = self.batch.lend();
        written(&self.plan, buffer, &taken.rows(&Cancel::new()))
    }

    /// Writes a buffer as [`Stepwise::read`] gave it.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn write(&mut self, buffer: BufferId, values: &[f32]) -> Result<(), EngineError> {
        let (states, _) = self.batch.lend();
        Ok(self.engine.backend().write(&mut self.prepared, states, buffer, values)?)
    }
}

/// Takes the rows of each prompt that a run is of.
fn take_all<B: Backend>(
    engine: &Engine<B>,
    batch: &mut Batch<B>,
    stretches: &[Stretch],
) -> Result<(), EngineError> {
    let ends: Vec<usize> = stretches.iter().map(|stretch| stretch.end).collect();
    batch.take_to(engine, &ends, usize::MAX)?;
    Ok(())
}
