//! A Plan that is run one step at a time, so that buffers can be read between two of them.

use hala_model::{LogitRows, PlanShape};
use hala_plan::{Backend, BufferId, Cancel, Plan, Reading};

use super::batch::Batch;
use crate::engine::Engine;
use crate::error::EngineError;

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
        let plan = engine.model().record(shape, engine.dtypes())?;
        let prepared = engine.backend().prepare(&plan, engine.weights()).await?;
        Ok(Self { engine, plan, prepared, batch })
    }

    /// The Plan for all tokens of one prompt at once, with the logits of each.
    ///
    /// # Errors
    /// An empty prompt, one longer than the context, an id outside of the vocabulary, no memory.
    pub(crate) async fn of_prompt(engine: &'e Engine<B>, prompt: &[u32]) -> Result<Self, EngineError> {
        engine.check_prompt(prompt)?;
        let mut batch = Batch::new(engine, &[prompt], prompt.len())?;
        batch.take(engine, prompt.len())?;
        let shape = PlanShape { n_tokens: prompt.len(), logits: LogitRows::All };
        Self::new(engine, shape, batch).await
    }

    /// Runs one step.
    ///
    /// # Errors
    /// Rows that do not fit, cancellation, a lost device.
    pub(crate) async fn run(&mut self, step: usize, cancel: &Cancel) -> Result<(), EngineError> {
        let (states, taken) = self.batch.lend();
        let rows = taken.rows(cancel);
        Ok(self.engine.backend().run_steps(&mut self.prepared, states, rows, step..step + 1).await?)
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
}
