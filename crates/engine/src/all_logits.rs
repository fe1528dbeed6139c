//! The logits after every token of a prompt, computed chunk by chunk.

use hala_model::{LogitRows, PlanShape};
use hala_plan::{Backend, Cancel, StepInput};

use crate::{Engine, EngineError};

impl<B: Backend> Engine<B> {
    /// Logits `[T, V]` after every token of `prompt`, row by row. The prompt runs in chunks of `n_chunk` tokens (at
    /// least 1) whose state is carried from one to the next, so every split gives the same logits.
    ///
    /// # Errors
    /// An empty prompt, one longer than the context, an id outside of the vocabulary, cancellation.
    pub async fn all_logits(
        &self,
        prompt: &[u32],
        n_chunk: usize,
        cancel: &Cancel,
    ) -> Result<Vec<f32>, EngineError> {
        self.check_prompt(prompt)?;
        let n_vocab = self.model().facts().n_vocab;
        let n_tokens = n_chunk.clamp(1, prompt.len());
        let (plan, output) = self.plan(PlanShape { n_tokens, logits: LogitRows::All })?;
        let mut state = self.backend().allocate(self.model().states())?;
        let mut prepared = self.backend().prepare(&plan, self.weights(), &state).await?;
        let mut logits = Vec::with_capacity(prompt.len() * n_vocab);
        let mut rows = Vec::new();
        let mut position = 0;
        for ids in prompt.chunks(n_tokens) {
            let input = StepInput { ids, position, cancel };
            self.backend().run(&mut prepared, &mut state, input).await?;
            self.backend().read(&prepared, &state, output, &mut rows).await?;
            logits.extend_from_slice(&rows[..ids.len() * n_vocab]);
            position += ids.len();
        }
        Ok(logits)
    }
}
