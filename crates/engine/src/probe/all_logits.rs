//! The logits after every token of a prompt, or of several at once, computed chunk by chunk.

use hala_model::{LogitRows, PlanShape};
use hala_plan::{Backend, Cancel, Reading};

use super::Probe;
use super::batch::{Batch, Part};
use crate::error::EngineError;
use crate::lease::prepare;

impl<B: Backend> Probe<'_, B> {
    /// Logits `[T, V]` after every token of `prompt`, row by row. The prompt runs in chunks of `n_chunk` tokens (at
    /// least 1) whose state is carried from one to the next, so every split gives the same logits.
    ///
    /// # Errors
    /// An empty prompt, one longer than the context, an id outside of the vocabulary, cancellation.
    pub async fn all_logits(
        &mut self,
        prompt: &[u32],
        n_chunk: usize,
        cancel: &Cancel,
    ) -> Result<Vec<f32>, EngineError> {
        let mut logits = self.batch_logits(&[prompt], n_chunk.min(prompt.len()), cancel).await?;
        Ok(logits.swap_remove(0))
    }

    /// Logits `[T, V]` after every token of each prompt: as many prompts share a run as its `n_rows` rows (at least 1) hold. None
    /// remembers another. The Plan is kept for the next call with as many rows.
    ///
    /// # Errors
    /// As for [`Probe::all_logits`].
    pub async fn batch_logits(
        &mut self,
        prompts: &[&[u32]],
        n_rows: usize,
        cancel: &Cancel,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let engine = self.engine;
        prompts.iter().try_for_each(|prompt| engine.check_prompt(prompt))?;
        let shape = PlanShape { n_tokens: n_rows.max(1), logits: LogitRows::All };
        let mut ready = match self.ready.take().filter(|ready| ready.shape == shape) {
            Some(ready) => ready,
            None => prepare(engine, shape).await?,
        };
        let buffer = ready.logits.ok_or(EngineError::NoOutput { family: engine.model().facts().family })?;
        let mut batch = Batch::new(engine, prompts, shape.n_tokens)?;
        let n_vocab = engine.model().facts().n_vocab;
        let mut logits: Vec<_> = prompts.iter().map(|p| Vec::with_capacity(p.len() * n_vocab)).collect();
        let mut values = Vec::new();
        loop {
            let parts: Vec<Part> = batch.take(engine, shape.n_tokens)?.to_vec();
            if parts.is_empty() {
                break;
            }
            let reading = Reading { buffer, n_rows: parts.iter().map(|part| part.n_rows).sum() };
            let (states, taken) = batch.lend();
            engine.backend().run(&mut ready.prepared, states, taken.rows(cancel)).await?;
            engine.backend().read(&ready.prepared, states, reading, &mut values).await?;
            let mut rows = values.chunks_exact(n_vocab);
            for Part { idx, n_rows } in parts {
                rows.by_ref().take(n_rows).for_each(|row| logits[idx].extend_from_slice(row));
            }
            batch.advance();
        }
        self.ready = Some(ready);
        Ok(logits)
    }
}
