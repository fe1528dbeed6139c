//! Runs that a device makes ahead of the host, feeding back the tokens that it chooses, for one or several sequences.

use std::collections::VecDeque;
use std::sync::Arc;

use hala_model::{LogitRows, PlanShape};
use hala_plan::{Ahead, AheadRow, Backend, Cancel};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease::Lease;
use crate::memory::Memory;

/// Batches of the runs ahead: one is computed while the other is read.
const N_BATCHES: usize = 2;

/// Queued runs whose tokens were not read yet.
#[derive(Debug)]
pub(crate) struct Flight<B: Backend> {
    lease: Lease<B>,
    n_rows: usize,
    /// Runs of each batch that was not read, the oldest first.
    batches: VecDeque<usize>,
    has_begun: bool,
    ids: Vec<u32>,
}

impl<B: Backend> Flight<B> {
    /// Nothing queued yet; each run is of `n_rows` sequences.
    ///
    /// # Errors
    /// A model that cannot be recorded so, or no memory.
    pub(crate) async fn new(engine: &Arc<Engine<B>>, n_rows: usize) -> Result<Self, EngineError> {
        let n_tokens = engine.decode_size(n_rows);
        let lease = Lease::new(engine, PlanShape { n_tokens, logits: LogitRows::Chosen }).await?;
        Ok(Self { lease, n_rows, batches: VecDeque::new(), has_begun: false, ids: Vec::new() })
    }

    /// Sequences of a run.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Whether anything was queued ever: what follows goes on from there.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Runs that were queued and not read.
    pub(crate) fn n_flying(&self) -> usize {
        self.batches.iter().sum()
    }

    /// Runs that are queued together.
    pub(crate) fn n_batch(engine: &Engine<B>) -> usize {
        (engine.backend().n_ahead() / N_BATCHES).max(1)
    }

    /// Whether another batch may be queued.
    pub(crate) fn has_room(&self, engine: &Engine<B>) -> bool {
        self.n_flying() + Self::n_batch(engine) <= engine.backend().n_ahead()
    }

    /// Queues a batch.
    ///
    /// # Errors
    /// Cancellation, a lost device.
    pub(crate) async fn queue(
        &mut self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
        rows: &[AheadRow<'_>],
        cancel: &Cancel,
    ) -> Result<(), EngineError> {
        let ahead = Ahead { rows, cancel };
        let n_runs = ahead.n_runs();
        engine.backend().queue(&mut self.lease.prepared, memory.states(), ahead).await?;
        self.batches.push_back(n_runs);
        self.has_begun = true;
        Ok(())
    }

    /// Waits for the oldest batch, and gives its tokens: those of all rows for each run; none where there is no batch.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) async fn read(&mut self, engine: &Engine<B>) -> Result<&[u32], EngineError> {
        self.ids.clear();
        if self.batches.pop_front().is_some() {
            engine.backend().chosen(&mut self.lease.prepared, &mut self.ids).await?;
        }
        Ok(&self.ids)
    }
}

impl<B: Backend> Drop for Flight<B> {
    fn drop(&mut self) {
        // Whoever has the Plan next would read what was queued here.
        if self.n_flying() > 0 {
            self.lease.discard();
        }
    }
}
