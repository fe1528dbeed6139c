//! One conversation with a model: its tokens, its state on the device, and the way back.

use std::sync::Arc;

use hala_model::{LogitRows, PlanShape};
use hala_plan::{Backend, BufferId, Cancel, Plan, StepInput};

use crate::ahead::Chain;
use crate::snapshots::Snapshots;
use crate::{Engine, EngineError};

/// Decoded tokens after which a snapshot is taken, so that going back never repeats more.
const SNAPSHOT_EVERY: usize = 64;

/// What a prefill had to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefilled {
    /// Tokens that were in the state already.
    pub n_cached: usize,
    /// Tokens that were computed.
    pub n_computed: usize,
}

/// A Plan made ready, with what the session needs to know of it.
#[derive(Debug)]
struct Ready<P> {
    prepared: P,
    n_tokens: usize,
    /// Steps before the first that writes the output.
    n_body: usize,
    logits: BufferId,
}

/// One conversation with a model.
///
/// The session holds token ids and the state that they lead to. [`Session::prefill`] takes a whole prompt and
/// computes only what differs from the tokens held; [`Session::decode`] adds one token. Where the backend chooses tokens
/// itself, a [`Generation`](crate::Generation) lets it run some tokens ahead; the session holds those that were handed out.
#[derive(Debug)]
pub struct Session<B: Backend> {
    pub(crate) engine: Arc<Engine<B>>,
    pub(crate) state: B::State,
    pub(crate) snapshots: Snapshots<B::Snapshot>,
    ready: Vec<Ready<B::Prepared>>,
    /// Tokens that the device chooses: while there are some, the state may be ahead of `n_cached`.
    pub(crate) chain: Chain<B::Prepared>,
    /// Tokens of the conversation; the state covers the first `n_cached`.
    pub(crate) ids: Vec<u32>,
    pub(crate) n_cached: usize,
    pub(crate) logits: Vec<f32>,
}

impl<B: Backend> Session<B> {
    /// An empty session.
    ///
    /// # Errors
    /// No memory for its state.
    pub async fn new(engine: Arc<Engine<B>>) -> Result<Self, EngineError> {
        let state = engine.backend().allocate(engine.model().states())?;
        let empty = engine.backend().snapshot(&state).await?;
        Ok(Self {
            engine,
            state,
            snapshots: Snapshots::new(empty),
            ready: Vec::new(),
            chain: Chain::default(),
            ids: Vec::new(),
            n_cached: 0,
            logits: Vec::new(),
        })
    }

    /// The model on its device.
    pub fn engine(&self) -> &Arc<Engine<B>> {
        &self.engine
    }

    /// The tokens held.
    pub fn ids(&self) -> &[u32] {
        &self.ids
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

    /// Makes `prompt` the session's tokens and computes the logits after the last of them; tokens that the session
    /// already holds from the start on are not computed again.
    ///
    /// # Errors
    /// An empty prompt, one longer than the context, an id outside of the vocabulary, cancellation. After an
    /// error the session holds what was computed so far and can be used again; after the loss of the device it holds
    /// the prompt, for [`Session::rebuild`].
    pub async fn prefill(&mut self, prompt: &[u32], cancel: &Cancel) -> Result<Prefilled, EngineError> {
        self.engine.check_prompt(prompt)?;
        let n_common = prompt.iter().zip(&self.ids).take_while(|(a, b)| a == b).count();
        // The last token is always computed, for its logits.
        self.truncate(n_common.min(prompt.len() - 1)).await?;
        let n_cached = self.n_cached;
        self.ids.truncate(n_cached);
        self.ids.extend_from_slice(&prompt[n_cached..]);
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
        let limit = self.context();
        if self.ids.len() >= limit {
            let max = self.engine.model().facts().max_context;
            return Err(EngineError::PromptTooLong { found: self.ids.len() + 1, limit, max });
        }
        let n_held = self.ids.len();
        self.ids.push(id);
        self.compute(cancel).await.inspect_err(|_| self.ids.truncate(n_held))?;
        if self.n_cached >= self.snapshots.last() + SNAPSHOT_EVERY {
            self.take_snapshot().await?;
        }
        Ok(())
    }

    /// Goes back to the first `n_tokens` tokens, as if the others had never been.
    ///
    /// # Errors
    /// More tokens than the session holds.
    pub async fn truncate(&mut self, n_tokens: usize) -> Result<(), EngineError> {
        if n_tokens > self.ids.len() {
            return Err(EngineError::Position { asked: n_tokens, held: self.ids.len() });
        }
        self.leave_chain().await?;
        if n_tokens == self.ids.len() && n_tokens == self.n_cached {
            return Ok(());
        }
        self.ids.truncate(n_tokens);
        self.logits.clear();
        if self.n_cached > n_tokens {
            self.rewind(n_tokens).await?;
        }
        Ok(())
    }

    /// Goes on with another engine of the same model, as after a lost device: computes the tokens held on it.
    ///
    /// # Errors
    /// Those of [`Session::prefill`]. The session is then as it was, and this can be tried again.
    pub async fn rebuild(&mut self, engine: Arc<Engine<B>>, cancel: &Cancel) -> Result<(), EngineError> {
        let mut rebuilt = Self::new(engine).await?;
        if !self.ids.is_empty() {
            rebuilt.prefill(&self.ids, cancel).await?;
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

    /// Computes the tokens that the state does not cover yet, chunk by chunk, and reads the last one's logits. On
    /// error the state goes back to its last snapshot and the tokens not computed are dropped; where the device is
    /// lost no state is left, and the tokens stay.
    async fn compute(&mut self, cancel: &Cancel) -> Result<(), EngineError> {
        match self.advance(cancel).await {
            Ok(()) => Ok(()),
            Err(error) => {
                self.logits.clear();
                match self.rewind(self.n_cached).await {
                    Ok(()) => self.ids.truncate(self.n_cached),
                    // The device is gone, as the first error says.
                    Err(_) => self.n_cached = 0,
                }
                Err(error)
            }
        }
    }

    async fn advance(&mut self, cancel: &Cancel) -> Result<(), EngineError> {
        while self.n_cached < self.ids.len() {
            let n_left = self.ids.len() - self.n_cached;
            let i = self.prepare(n_left).await?;
            let ready = &mut self.ready[i];
            let n = n_left.min(ready.n_tokens);
            let (is_last, is_prefill) = (n == n_left, ready.n_tokens > 1);
            let ids = &self.ids[self.n_cached..][..n];
            let input = StepInput { ids, position: self.n_cached, cancel };
            let steps = if is_last { 0..usize::MAX } else { 0..ready.n_body };
            let backend = self.engine.backend();
            backend.run_steps(&mut ready.prepared, &mut self.state, input, steps).await?;
            if is_last {
                backend.read(&ready.prepared, &self.state, ready.logits, &mut self.logits).await?;
            }
            self.n_cached += n;
            if is_prefill {
                self.take_snapshot().await?;
            }
        }
        Ok(())
    }

    /// Index of the Plan for the next chunk of `n_left` tokens, recorded and prepared when first needed.
    async fn prepare(&mut self, n_left: usize) -> Result<usize, EngineError> {
        let engine = Arc::clone(&self.engine);
        let n_tokens = plan_size(n_left, engine.backend().prefill_sizes(), self.context());
        if let Some(i) = self.ready.iter().position(|r| r.n_tokens == n_tokens) {
            return Ok(i);
        }
        let shape = PlanShape { n_tokens, logits: LogitRows::Last };
        let (plan, logits) = engine.plan(shape)?;
        let prepared = engine.backend().prepare(&plan, engine.weights(), &self.state).await?;
        self.ready.push(Ready { prepared, n_tokens, n_body: n_body(&plan, logits), logits });
        Ok(self.ready.len() - 1)
    }

    async fn take_snapshot(&mut self) -> Result<(), EngineError> {
        let snapshot = self.engine.backend().snapshot(&self.state).await?;
        self.snapshots.push(self.n_cached, snapshot);
        Ok(())
    }

    /// Puts the state back to the last snapshot at or before `position`.
    pub(crate) async fn rewind(&mut self, position: usize) -> Result<(), EngineError> {
        let (position, snapshot) = self.snapshots.rewind(position);
        self.engine.backend().restore(&mut self.state, snapshot).await?;
        self.n_cached = position;
        Ok(())
    }
}

/// T of the Plan for `n_left` tokens: 1, or the smallest size that holds them, or the largest.
fn plan_size(n_left: usize, sizes: &[usize], context: usize) -> usize {
    if n_left == 1 {
        return 1;
    }
    let fitting = sizes.iter().copied().find(|size| *size >= n_left);
    fitting.or(sizes.last().copied()).unwrap_or(1).min(context.max(1))
}

/// Steps before the first that writes `output`.
fn n_body(plan: &Plan, output: BufferId) -> usize {
    plan.steps().iter().position(|s| s.outputs.contains(&output)).unwrap_or(plan.steps().len())
}
