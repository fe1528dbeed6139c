//! Tokens that the device chooses itself, some of them ahead of those that the session hands out.
//!
//! The device feeds each token back to its next run, and the host reads them in batches while more are computed. A session
//! counts as its own only what was handed out: what the state holds beyond that is taken back when the chain is left, by
//! restoring a snapshot.

use std::collections::VecDeque;

use hala_model::{LogitRows, PlanShape};
use hala_plan::ops::sample::{self, Choice, DECLINED};
use hala_plan::{Ahead, Backend, Cancel, Start};

use crate::rng::uniform;
use crate::{EngineError, Session};

/// Batches of the tokens ahead: one is computed while the other is read.
const N_BATCHES: usize = 2;

/// Positions between two snapshots of a chain, so that leaving it repeats no more tokens than a short chunk has.
const SNAPSHOT_EVERY: usize = 16;

/// How a chain of tokens is chosen.
#[derive(Debug)]
pub(crate) struct Choosing<'a> {
    pub(crate) choice: Choice,
    pub(crate) seed: u64,
    /// Tokens drawn before.
    pub(crate) n_drawn: u64,
    /// Tokens wanted, the next one included: more are not computed.
    pub(crate) n_wanted: usize,
    /// The tokens of prompt and output, with the one that comes in.
    pub(crate) so_far: [&'a [u32]; 2],
}

/// Where a session's chain stands.
#[derive(Debug)]
pub(crate) struct Chain<P> {
    prepared: Option<P>,
    /// Runs of each batch that was not read.
    batches: VecDeque<usize>,
    /// Tokens that were read and not handed out.
    ready: VecDeque<u32>,
    /// The token handed out last: the chain goes on where it comes back.
    last: Option<u32>,
    /// Tokens in the state once all that was queued is done.
    end: usize,
    buffer: Vec<u32>,
}

impl<P> Default for Chain<P> {
    fn default() -> Self {
        Self {
            prepared: None,
            batches: VecDeque::new(),
            ready: VecDeque::new(),
            last: None,
            end: 0,
            buffer: Vec::new(),
        }
    }
}

impl<P> Chain<P> {
    /// Runs that were queued and not read.
    fn n_flying(&self) -> usize {
        self.batches.iter().sum()
    }
}

impl<B: Backend> Session<B> {
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
        match self.next_chosen(id, choosing, cancel).await {
            Ok(Some(chosen)) => Ok(Some(chosen)),
            Ok(None) => {
                self.leave_chain().await?;
                Ok(None)
            }
            Err(error) => {
                // Where even that fails the device is gone, and the first error says so.
                let _ = self.leave_chain().await;
                Err(error)
            }
        }
    }

    async fn next_chosen(
        &mut self,
        id: u32,
        choosing: &Choosing<'_>,
        cancel: &Cancel,
    ) -> Result<Option<u32>, EngineError> {
        if cancel.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        if self.chain.last != Some(id) {
            self.leave_chain().await?;
            if self.n_cached < self.ids.len() {
                return Ok(None);
            }
        }
        if self.chain.ready.is_empty() {
            self.queue(id, choosing, cancel).await?;
            self.read_batch().await?;
        }
        let Some(chosen) = self.chain.ready.pop_front().filter(|chosen| *chosen != DECLINED) else {
            return Ok(None);
        };
        self.ids.push(id);
        self.n_cached = self.ids.len();
        self.logits.clear();
        self.chain.last = Some(chosen);
        Ok(Some(chosen))
    }

    /// Queues batches up to what the backend is to be ahead, and no more than are wanted or fit the context.
    async fn queue(&mut self, id: u32, choosing: &Choosing<'_>, cancel: &Cancel) -> Result<(), EngineError> {
        self.prepare_chain().await?;
        let n_ahead = self.engine.backend().n_ahead();
        let n_batch = (n_ahead / N_BATCHES).max(1);
        let mut start = self.chain.last.is_none().then(|| self.seen(choosing));
        if start.is_some() {
            self.chain.end = self.n_cached;
        }
        while self.chain.n_flying() + n_batch <= n_ahead {
            let n_pending = self.chain.n_flying() + self.chain.ready.len();
            let n_wanted = choosing.n_wanted.saturating_sub(n_pending);
            let n_runs = n_batch.min(n_wanted).min(self.context().saturating_sub(self.chain.end));
            if n_runs == 0 {
                break;
            }
            if self.chain.end >= self.snapshots.last() + SNAPSHOT_EVERY {
                let snapshot = self.engine.backend().snapshot(&self.state).await?;
                self.snapshots.push(self.chain.end, snapshot);
            }
            let steps = (choosing.n_drawn..).skip(n_pending).take(n_runs);
            let draws: Vec<f32> = steps.map(|step| uniform(choosing.seed, step) as f32).collect();
            let seen = start.take();
            let banned = self.engine.undefined_set();
            let ahead = Ahead {
                start: seen.as_deref().map(|seen| Start { id, banned, seen }),
                position: self.chain.end,
                choice: choosing.choice,
                draws: &draws,
                cancel,
            };
            let Some(prepared) = &mut self.chain.prepared else { break };
            // Where this fails half-way some runs may have changed the state.
            self.chain.end += n_runs;
            self.engine.backend().queue(prepared, &mut self.state, ahead).await?;
            self.chain.batches.push_back(n_runs);
        }
        Ok(())
    }

    /// The ids that the repetition penalty is for, as a set.
    fn seen(&self, choosing: &Choosing<'_>) -> Vec<u32> {
        if choosing.choice.repetition_penalty == 1.0 {
            return Vec::new();
        }
        let mut set = vec![0; sample::n_words(self.engine.model().facts().n_vocab)];
        choosing.so_far.iter().copied().flatten().for_each(|id| sample::insert(&mut set, *id));
        set
    }

    /// Waits for the oldest batch.
    async fn read_batch(&mut self) -> Result<(), EngineError> {
        let Chain { prepared: Some(prepared), batches, ready, buffer, .. } = &mut self.chain else {
            return Ok(());
        };
        if batches.pop_front().is_some() {
            buffer.clear();
            self.engine.backend().chosen(prepared, buffer).await?;
            ready.extend(buffer.drain(..));
        }
        Ok(())
    }

    /// Takes back what the device computed beyond the session's tokens.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) async fn leave_chain(&mut self) -> Result<(), EngineError> {
        let mut result = Ok(());
        while !self.chain.batches.is_empty() {
            result = result.and(self.read_batch().await);
        }
        let is_beyond = self.chain.end > self.n_cached;
        self.chain.ready.clear();
        self.chain.last = None;
        self.chain.end = 0;
        if is_beyond {
            let n_held = self.n_cached;
            // The tokens themselves stay: the state is computed again where it is needed.
            self.n_cached = 0;
            self.rewind(n_held).await?;
        }
        result
    }

    async fn prepare_chain(&mut self) -> Result<(), EngineError> {
        if self.chain.prepared.is_none() {
            let plan = self
                .engine
                .model()
                .record(PlanShape { n_tokens: 1, logits: LogitRows::Chosen }, self.engine.dtypes())?;
            let prepared = self.engine.backend().prepare(&plan, self.engine.weights(), &self.state).await?;
            self.chain.prepared = Some(prepared);
        }
        Ok(())
    }
}
