//! One conversation with a model: its tokens, its states on the device, and the way back.

use std::sync::Arc;

use hala_plan::{Backend, Cancel, PoolSize, Reading, Rows};

use crate::chain::{Chain, Choosing, Place};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease::Lease;
use crate::memory::Memory;
use crate::sequence::{Kept, SNAPSHOT_EVERY, Sequence};
use crate::snapshots::Snapshots;
use crate::table::Table;

/// The most snapshots that a session keeps.
const N_SNAPSHOTS: usize = 64;

/// What a prefill had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefilled {
    /// Tokens that were in the state already.
    pub n_cached: usize,
    /// Tokens that were computed.
    pub n_computed: usize,
}

/// One conversation with a model, in a memory of its own; for many at once there is the [`Scheduler`](crate::Scheduler).
///
/// The session holds token ids and the states that they lead to. [`Session::prefill`] takes a whole prompt and
/// computes only what differs from the tokens held; [`Session::decode`] adds one token. Where the backend chooses tokens
/// itself, a [`Generation`](crate::Generation) lets it run some tokens ahead; the session holds those that were handed out.
#[derive(Debug)]
pub struct Session<B: Backend> {
    engine: Arc<Engine<B>>,
    memory: Memory<B>,
    sequence: Sequence,
    /// Tokens that the device chooses: while there are some, the states may be ahead of the sequence.
    chain: Chain<B>,
    logits: Vec<f32>,
}

impl<B: Backend> Session<B> {
    /// An empty session.
    ///
    /// # Errors
    /// No memory for its state.
    pub async fn new(engine: Arc<Engine<B>>) -> Result<Self, EngineError> {
        let memory = Memory::new(&engine, limit(&engine))?;
        let sequence = Sequence::new(&engine, N_SNAPSHOTS);
        Ok(Self { engine, memory, sequence, chain: Chain::default(), logits: Vec::new() })
    }

    /// The model on its device.
    pub fn engine(&self) -> &Arc<Engine<B>> {
        &self.engine
    }

    /// The tokens held.
    pub fn ids(&self) -> &[u32] {
        self.sequence.ids()
    }

    /// S, tokens that the session can hold.
    pub fn context(&self) -> usize {
        self.engine.model().facts().context
    }

    /// Logits `[V]` after the last token held; empty before the first, and where the device chose the next token itself.
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// The same, for a sampler that changes them.
    pub(crate) fn logits_mut(&mut self) -> &mut [f32] {
        &mut self.logits
    }

    /// Pages of 64 positions that the session's caches hold, for each of the model's page tables
    /// ([`Model::tables`](hala_model::Model::tables)): of layers with a window no more than that, and what the last run added.
    pub fn n_pages(&self) -> Vec<usize> {
        self.sequence.n_pages()
    }

    /// Makes `prompt` the session's tokens and computes the logits after the last of them; tokens that the session
    /// already holds from the start on are not computed again.
    ///
    /// # Errors
    /// An empty prompt, one longer than the context, an id outside of the vocabulary, cancellation. After an
    /// error the session holds what was computed so far and can be used again; after the loss of the device it holds
    /// the prompt, for [`Session::rebuild`].
    pub async fn prefill(&mut self, prompt: &[u32], cancel: &Cancel) -> Result<Prefilled, EngineError> {
        self.engine.check_prompt(prompt)?;
        self.leave_chain().await?;
        self.logits.clear();
        self.sequence.set_tokens(&self.engine, &mut self.memory, prompt)?;
        let n_cached = self.sequence.n_cached();
        self.compute(cancel).await?;
        Ok(Prefilled { n_cached, n_computed: prompt.len() - n_cached })
    }

    /// Adds one token and computes the logits after it.
    ///
    /// # Errors
    /// A full context, an id outside of the vocabulary, cancellation, a lost device; the token is then not added.
    pub async fn decode(&mut self, id: u32, cancel: &Cancel) -> Result<(), EngineError> {
        if cancel.is_cancelled() {
            // Before anything is half done: the tokens that are held stay.
            return Err(EngineError::Cancelled);
        }
        self.leave_chain().await?;
        let (limit, found) = (self.context(), self.ids().len() + 1);
        if found > limit {
            let max = self.engine.model().facts().max_context;
            return Err(EngineError::PromptTooLong { found, limit, max });
        }
        self.sequence.extend(&[id]);
        self.compute(cancel).await.inspect_err(|_| self.sequence.truncate_ids(found - 1))?;
        let Self { engine, memory, sequence, .. } = self;
        sequence.take_due_snapshot(engine, memory, (SNAPSHOT_EVERY, 0, Kept::Beside))
    }

    /// Adds one token and gives the one that the device chooses after it; `None` where it cannot choose, and then nothing
    /// was added.
    ///
    /// # Errors
    /// As for [`Session::decode`].
    pub(crate) async fn decode_ahead(
        &mut self,
        id: u32,
        choosing: &Choosing<'_>,
        cancel: &Cancel,
    ) -> Result<Option<u32>, EngineError> {
        let Self { engine, memory, sequence, chain, logits } = self;
        let chosen = chain.decode(Place { engine, memory, sequence }, id, choosing, cancel).await?;
        if chosen.is_some() {
            logits.clear();
        }
        Ok(chosen)
    }

    /// Goes back to the first `n_tokens` tokens, as if the others had never been.
    ///
    /// # Errors
    /// More tokens than the session holds.
    pub async fn truncate(&mut self, n_tokens: usize) -> Result<(), EngineError> {
        let held = self.ids().len();
        if n_tokens > held {
            return Err(EngineError::Position { asked: n_tokens, held });
        }
        self.leave_chain().await?;
        if n_tokens == held && n_tokens == self.sequence.n_cached() {
            return Ok(());
        }
        self.logits.clear();
        self.sequence.truncate(&self.engine, &mut self.memory, n_tokens)
    }

    /// Goes on with another engine of the same model, as after a lost device: computes the tokens held on it.
    ///
    /// # Errors
    /// Those of [`Session::prefill`]. The session is then as it was, and this can be tried again.
    pub async fn rebuild(&mut self, engine: Arc<Engine<B>>, cancel: &Cancel) -> Result<(), EngineError> {
        let mut rebuilt = Self::new(engine).await?;
        if !self.ids().is_empty() {
            rebuilt.prefill(self.ids(), cancel).await?;
        }
        *self = rebuilt;
        Ok(())
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// A lost device.
    pub async fn clear(&mut self) -> Result<(), EngineError> {
        self.truncate(0).await
    }

    /// Gives back memory that the tokens held do not need, as where a system runs out of it.
    ///
    /// # Errors
    /// A lost device.
    pub async fn trim(&mut self) -> Result<(), EngineError> {
        self.leave_chain().await?;
        self.memory.trim(self.engine.backend())
    }

    async fn leave_chain(&mut self) -> Result<(), EngineError> {
        let Self { engine, memory, sequence, chain, .. } = self;
        chain.leave(Place { engine, memory, sequence }).await
    }

    /// Computes the tokens that the states do not cover yet, chunk by chunk, and reads the last one's logits. On
    /// error the states go back to their last snapshot and the tokens not computed are dropped; where the device is
    /// lost no state is left, and the tokens stay.
    async fn compute(&mut self, cancel: &Cancel) -> Result<(), EngineError> {
        let Err(error) = self.advance(cancel).await else { return Ok(()) };
        self.logits.clear();
        let rewound = self.sequence.rewind(&self.engine, &mut self.memory, self.sequence.n_cached());
        if error.is_device_lost() || rewound.is_err() {
            self.sequence.release();
        } else {
            self.sequence.drop_pending();
        }
        Err(error)
    }

    async fn advance(&mut self, cancel: &Cancel) -> Result<(), EngineError> {
        let Self { engine, memory, sequence, logits, .. } = self;
        while !sequence.pending().is_empty() {
            sequence.mend(engine, memory)?;
            let n_left = sequence.pending().len();
            let shape = engine.chunk_shape(n_left);
            let mut lease = Lease::new(engine, shape).await?;
            let n = n_left.min(shape.n_tokens);
            let is_last = n == n_left;
            if !sequence.reserve(engine, memory, n)? {
                return Err(EngineError::MemoryFull);
            }
            sequence.begin(engine, memory)?;
            let (spans, wanted) = ([sequence.span(n, 0)], [n as u32 - 1]);
            let wanted = if is_last { &wanted[..] } else { &[] };
            let rows = Rows { ids: &sequence.pending()[..n], spans: &spans, wanted, cancel };
            let steps = if is_last { 0..usize::MAX } else { 0..lease.n_body };
            let backend = engine.backend();
            backend.run_steps(&mut lease.prepared, memory.states(), rows, steps).await?;
            if let (true, Some(buffer)) = (is_last, lease.logits) {
                let reading = Reading { buffer, n_rows: 1 };
                backend.read(&lease.prepared, memory.states(), reading, logits).await?;
            }
            sequence.advance(n);
            if shape.n_tokens > 1 {
                let kept = if is_last { Kept::WithPages } else { Kept::Beside };
                sequence.take_snapshot(engine, memory, (0, kept))?;
            }
        }
        Ok(())
    }
}

/// The most that a session can need: its sequence, its snapshots, and the pages that one of them holds behind a window.
fn limit<B: Backend>(engine: &Engine<B>) -> PoolSize {
    let (model, context) = (engine.model(), engine.model().facts().context);
    let n_rows = engine.backend().prefill_sizes().last().copied().unwrap_or(1);
    let held = model.n_pages(context, 0);
    let tables = model.tables().iter().zip(model.n_pages(context, n_rows)).zip(held);
    let n_pages = tables
        .map(|((table, n), held)| n + Table::N_COPIED + if table.window.is_some() { held } else { 0 })
        .collect();
    PoolSize { n_slots: Snapshots::n_slots(N_SNAPSHOTS), n_pages }
}
