//! The logits after every token of a prompt, or of several at once, computed chunk by chunk.

use std::sync::Arc;

use hala_model::{LogitRows, PlanShape};
use hala_plan::{Backend, Cancel, PoolSize, Reading, Rows};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease::{Lease, prepare};
use crate::memory::Memory;
use crate::ready::Ready;
use crate::sequence::Sequence;

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
        let batch = Batch::new(self, &[prompt], n_chunk)?;
        let mut ready = prepare(self, shape(n_chunk.min(prompt.len()))).await?;
        let mut logits = batch.run(self, &mut ready, cancel).await?;
        Ok(logits.swap_remove(0))
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
        let batch = Batch::new(self, prompts, n_rows)?;
        let mut lease = Lease::new(self, shape(n_rows)).await?;
        batch.run(self, &mut lease, cancel).await
    }
}

/// Runs of `n_rows` rows (at least 1), all of whose logits are read.
fn shape(n_rows: usize) -> PlanShape {
    PlanShape { n_tokens: n_rows.max(1), logits: LogitRows::All }
}

/// Prompts on their way.
struct Batch<B: Backend> {
    memory: Memory<B>,
    sequences: Vec<Sequence>,
    logits: Vec<Vec<f32>>,
    values: Vec<f32>,
}

impl<B: Backend> Batch<B> {
    /// Room for `prompts`, of which a run computes `n_rows` rows at most.
    fn new(engine: &Engine<B>, prompts: &[&[u32]], n_rows: usize) -> Result<Self, EngineError> {
        let mut n_pages = vec![0; engine.model().tables().len()];
        let (mut sequences, mut logits) = (Vec::new(), Vec::new());
        for prompt in prompts {
            engine.check_prompt(prompt)?;
            let of_one = engine.model().n_pages(prompt.len(), n_rows.clamp(1, prompt.len()));
            n_pages.iter_mut().zip(of_one).for_each(|(sum, n)| *sum += n + 1);
            let mut sequence = Sequence::new(engine, 1);
            sequence.extend(prompt);
            sequences.push(sequence);
            logits.push(Vec::with_capacity(prompt.len() * engine.model().facts().n_vocab));
        }
        let memory = Memory::new(engine, PoolSize { n_slots: 1 + prompts.len(), n_pages })?;
        Ok(Self { memory, sequences, logits, values: Vec::new() })
    }

    /// Computes all rows; gives their logits.
    async fn run(
        mut self,
        engine: &Engine<B>,
        ready: &mut Ready<B::Prepared>,
        cancel: &Cancel,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        while self.step(engine, ready, cancel).await? {}
        Ok(self.logits)
    }

    /// Computes the next rows; `false` where there are none.
    async fn step(
        &mut self,
        engine: &Engine<B>,
        ready: &mut Ready<B::Prepared>,
        cancel: &Cancel,
    ) -> Result<bool, EngineError> {
        let Self { memory, sequences, logits, values } = self;
        let (mut n_left, mut parts) = (ready.shape.n_tokens, Vec::new());
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
        engine.backend().run(&mut ready.prepared, memory.states(), rows).await?;
        let Some(buffer) = ready.logits else { return Ok(false) };
        let reading = Reading { buffer, n_rows: ids.len() };
        engine.backend().read(&ready.prepared, memory.states(), reading, values).await?;
        let mut rows = values.chunks_exact(engine.model().facts().n_vocab);
        for (i, n) in parts {
            rows.by_ref().take(n).for_each(|row| logits[i].extend_from_slice(row));
            sequences[i].advance(n);
        }
        Ok(true)
    }
}
