//! The logits after every token of a prompt, or of several at once, computed chunk by chunk.

use std::sync::Arc;

use hala_model::{LogitRows, PlanShape};
use hala_plan::{Backend, Cancel, PoolSize, Reading, Rows};

use crate::alone::Alone;
use crate::lease::Lease;
use crate::memory::Memory;
use crate::sequence::Sequence;
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
        let mut prepared = self.backend().prepare(&plan, self.weights()).await?;
        let mut alone = Alone::new(self, prompt.len(), n_tokens)?;
        let mut logits = Vec::with_capacity(prompt.len() * n_vocab);
        let mut values = Vec::new();
        for ids in prompt.chunks(n_tokens) {
            alone.reserve(self, ids.len())?;
            let (states, span) = alone.parts(ids.len());
            let rows = Rows { ids, spans: &[span], wanted: &[], cancel };
            self.backend().run(&mut prepared, states, rows).await?;
            let reading = Reading { buffer: output, n_rows: ids.len() };
            self.backend().read(&prepared, states, reading, &mut values).await?;
            logits.extend_from_slice(&values);
            alone.advance(ids.len());
        }
        Ok(logits)
    }

    /// Logits `[T, V]` after every token of each prompt: as many prompts share a run as its `n_rows` rows (at least 1) hold. None
    /// remembers another.
    ///
    /// # Errors
    /// As for [`Engine::all_logits`].
    pub async fn batch_logits(
        self: &Arc<Self>,
        prompts: &[&[u32]],
        n_rows: usize,
        cancel: &Cancel,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let mut batch = Batch::new(self, prompts)?;
        let shape = PlanShape { n_tokens: n_rows.max(1), logits: LogitRows::All };
        let mut lease = Lease::new(self, shape).await?;
        while batch.run(self, &mut lease, cancel).await? {}
        Ok(batch.logits)
    }
}

/// Prompts on their way.
struct Batch<B: Backend> {
    memory: Memory<B>,
    sequences: Vec<Sequence>,
    logits: Vec<Vec<f32>>,
    values: Vec<f32>,
}

impl<B: Backend> Batch<B> {
    fn new(engine: &Engine<B>, prompts: &[&[u32]]) -> Result<Self, EngineError> {
        let mut n_pages = vec![0; engine.model().tables().len()];
        let mut sequences = Vec::new();
        for prompt in prompts {
            engine.check_prompt(prompt)?;
            let of_one = engine.model().n_pages(prompt.len(), prompt.len());
            n_pages.iter_mut().zip(of_one).for_each(|(sum, n)| *sum += n + 1);
            let mut sequence = Sequence::new(engine, 1);
            sequence.extend(prompt);
            sequences.push(sequence);
        }
        let memory = Memory::new(engine, PoolSize { n_slots: 1 + prompts.len(), n_pages })?;
        Ok(Self { memory, logits: vec![Vec::new(); prompts.len()], sequences, values: Vec::new() })
    }

    /// Computes the next rows; `false` where there are none.
    async fn run(
        &mut self,
        engine: &Engine<B>,
        lease: &mut Lease<B>,
        cancel: &Cancel,
    ) -> Result<bool, EngineError> {
        let Self { memory, sequences, logits, values } = self;
        let (mut n_left, mut parts) = (lease.shape.n_tokens, Vec::new());
        for (i, sequence) in sequences.iter_mut().enumerate() {
            let n = sequence.pending().len().min(n_left);
            if n == 0 {
                continue;
            }
            if !sequence.reserve(engine, memory, n)? {
                return Err(EngineError::MemoryFull);
            }
            n_left -= n;
            parts.push((i, n));
        }
        let (mut ids, mut spans) = (Vec::new(), Vec::new());
        for (i, n) in &parts {
            ids.extend_from_slice(&sequences[*i].pending()[..*n]);
            spans.push(sequences[*i].span(*n, 0));
        }
        if ids.is_empty() {
            return Ok(false);
        }
        let rows = Rows { ids: &ids, spans: &spans, wanted: &[], cancel };
        engine.backend().run(&mut lease.prepared, memory.states(), rows).await?;
        let Some(buffer) = lease.logits else { return Ok(false) };
        let reading = Reading { buffer, n_rows: ids.len() };
        engine.backend().read(&lease.prepared, memory.states(), reading, values).await?;
        let mut rows = values.chunks_exact(engine.model().facts().n_vocab);
        for (i, n) in parts {
            rows.by_ref().take(n).for_each(|row| logits[i].extend_from_slice(row));
            sequences[i].advance(n);
        }
        Ok(true)
    }
}
