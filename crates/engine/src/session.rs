//! One conversation with a model: its tokens, its states on the device, and the way back.

use std::sync::Arc;

use hala_model::{Model, PlanShape};
use hala_plan::{Backend, Cancel, PoolSize, Reading, Rows};
use web_time::Instant;

use crate::chain::{Chain, Choosing, Place};
use crate::draft::costs::MOST_ROWS;
use crate::draft::drafter::Drafter;
use crate::draft::pace::{Base, Done, Pace};
use crate::draft::verified::Verified;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::lease::Lease;
use crate::memory::{self, Memory};
use crate::sequence::{SNAPSHOT_EVERY, Sequence};
use crate::snapshots::{Kept, Snapshots};
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
    /// Drafts whose rows were computed: while there are some, the states are ahead of the sequence.
    verified: Verified,
    pace: Pace,
    /// `[n, V]`: those of the last run.
    logits: Vec<f32>,
}

/// What tokens are computed for.
#[derive(Debug, Clone, Copy)]
enum Purpose<'a> {
    /// A prompt.
    Prompt,
    /// The next token, with drafts of those after it.
    Token(&'a [u32]),
}

impl<B: Backend> Session<B> {
    /// An empty session.
    ///
    /// # Errors
    /// No memory for its state.
    pub async fn new(engine: Arc<Engine<B>>) -> Result<Self, EngineError> {
        let n_rows = engine.backend().prefill_sizes().last().copied().unwrap_or(1);
        let memory = Memory::new(&engine, limit(engine.model(), n_rows))?;
        let sequence = Sequence::new(&engine, N_SNAPSHOTS);
        let (chain, verified, pace) = (Chain::default(), Verified::default(), Pace::default());
        Ok(Self { engine, memory, sequence, chain, verified, pace, logits: Vec::new() })
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
        let n_vocab = self.engine.model().facts().n_vocab;
        self.logits.chunks_exact(n_vocab).nth(self.verified.row()).unwrap_or_default()
    }

    /// The same, for a sampler that changes them.
    pub(crate) fn logits_mut(&mut self) -> &mut [f32] {
        let n_vocab = self.engine.model().facts().n_vocab;
        self.logits.chunks_exact_mut(n_vocab).nth(self.verified.row()).unwrap_or_default()
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
        self.leave().await?;
        self.logits.clear();
        self.sequence.set_tokens(&self.engine, &mut self.memory, prompt)?;
        let n_cached = self.sequence.n_cached();
        self.compute(Purpose::Prompt, cancel).await?;
        Ok(Prefilled { n_cached, n_computed: prompt.len() - n_cached })
    }

    /// Adds one token and computes the logits after it.
    ///
    /// # Errors
    /// A full context, an id outside of the vocabulary, cancellation, a lost device; the token is then not added.
    pub async fn decode(&mut self, id: u32, cancel: &Cancel) -> Result<(), EngineError> {
        self.decode_drafting(id, None, cancel).await
    }

    /// As [`Session::decode`], with drafts of the tokens after `id` in the same run: of at most so many. Where `id` is the first draft of the last
    /// run it is there already.
    ///
    /// # Errors
    /// As for [`Session::decode`].
    pub(crate) async fn decode_drafting(
        &mut self,
        id: u32,
        drafting: Option<(&mut Drafter, usize)>,
        cancel: &Cancel,
    ) -> Result<(), EngineError> {
        if cancel.is_cancelled() {
            // Before anything is half done: the tokens that are held stay.
            return Err(EngineError::Cancelled);
        }
        if self.verified.has(id) {
            return self.accept(id);
        }
        self.leave().await?;
        let (limit, found) = (self.context(), self.ids().len() + 1);
        if found > limit {
            let max = self.engine.model().facts().max_context;
            return Err(EngineError::PromptTooLong { found, limit, max });
        }
        let drafts = match drafting {
            Some((drafter, most)) => self.proposed(drafter, most.min(limit - found))?,
            None => Vec::new(),
        };
        self.sequence.extend(&[id]);
        self.compute(Purpose::Token(&drafts), cancel)
            .await
            .inspect_err(|_| self.sequence.truncate_ids(found - 1))?;
        self.keep_due()
    }

    /// Drafts for the run of one more token, at most so many: none where the states could not come back from them.
    fn proposed(&mut self, drafter: &mut Drafter, most: usize) -> Result<Vec<u32>, EngineError> {
        let Self { engine, memory, sequence, pace, .. } = self;
        let base = Base { n_texts: 1, n_rows: sequence.pending().len() + 1 };
        let n = pace.drafts(base, &[drafter.chances(most)], drafter.is_measured())[0];
        let has_room = n > 0 && sequence.hold(engine, memory, base.n_rows + n)?;
        Ok(if has_room { drafter.propose(n) } else { Vec::new() })
    }

    /// Adds the next token, which was drafted rightly.
    fn accept(&mut self, id: u32) -> Result<(), EngineError> {
        self.verified.accept();
        self.sequence.extend(&[id]);
        match self.verified.is_ahead() {
            true => self.sequence.advance_in_flight(1),
            false => self.sequence.advance(1),
        }
        self.keep_due()
    }

    /// Takes the snapshot that is due after so many tokens; while the states are ahead it waits.
    fn keep_due(&mut self) -> Result<(), EngineError> {
        if self.verified.is_ahead() {
            return Ok(());
        }
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
        let Self { engine, memory, sequence, chain, logits, .. } = self;
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
        self.leave().await?;
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

    /// Bytes of caches and recurrent states that the session's memory has room for now; it grows as tokens are added.
    pub fn pool_bytes(&self) -> usize {
        self.memory.n_bytes(self.engine.model().states())
    }

    /// Gives back memory that the tokens held do not need, as where a system runs out of it.
    ///
    /// # Errors
    /// A lost device.
    pub async fn trim(&mut self) -> Result<(), EngineError> {
        self.leave().await?;
        self.memory.trim(self.engine.backend())
    }

    /// Takes back what the states are ahead of the tokens held, and what a run did that was dropped in the middle.
    async fn leave(&mut self) -> Result<(), EngineError> {
        let Self { engine, memory, sequence, chain, verified, pace, logits } = self;
        verified.outcome().into_iter().for_each(|run| pace.note(run));
        chain.leave(Place { engine, memory, sequence }).await?;
        if verified.is_ahead() {
            *verified = Verified::default();
            logits.clear();
        }
        sequence.mend(engine, memory)
    }

    /// Computes the tokens that the states do not cover yet, chunk by chunk, and reads the last one's logits. On
    /// error the states go back to their last snapshot, and of a prompt the tokens not computed are dropped; where the device is
    /// lost no state is left, and the tokens stay.
    async fn compute(&mut self, purpose: Purpose<'_>, cancel: &Cancel) -> Result<(), EngineError> {
        self.verified = Verified::default();
        let Err(error) = self.advance(purpose, cancel).await else { return Ok(()) };
        self.logits.clear();
        let rewound = self.sequence.rewind(&self.engine, &mut self.memory, self.sequence.n_cached());
        match purpose {
            _ if error.is_device_lost() || rewound.is_err() => self.sequence.release(),
            Purpose::Prompt => self.sequence.drop_pending(),
            Purpose::Token(_) => {}
        }
        Err(error)
    }

    async fn advance(&mut self, purpose: Purpose<'_>, cancel: &Cancel) -> Result<(), EngineError> {
        while !self.sequence.pending().is_empty() {
            let n_pending = self.sequence.pending().len();
            let (drafts, is_prompt) = match purpose {
                Purpose::Prompt => (&[][..], true),
                Purpose::Token(drafts) => (drafts, n_pending > MOST_ROWS),
            };
            let shape = match drafts {
                [] => self.engine.chunk_shape(n_pending.min(self.engine.backend().prompt_rows())),
                drafts => self.engine.decode_shape(n_pending + drafts.len()),
            };
            let n = n_pending.min(shape.n_tokens);
            let run = self.run(shape, (n, drafts), cancel).await?;
            if n == n_pending {
                let run = run.filter(|_| !is_prompt);
                let row = if drafts.is_empty() { 0 } else { n - 1 };
                self.verified = Verified::new(row, drafts, run);
            }
            if shape.n_tokens > 1 && is_prompt {
                let kept = if n == n_pending { Kept::WithPages } else { Kept::Beside };
                self.sequence.take_snapshot(&self.engine, &mut self.memory, (0, kept))?;
            }
        }
        Ok(())
    }

    /// One run of the next `n` tokens and drafts of those after them; of a Plan that was run before, how long it took.
    async fn run(
        &mut self,
        shape: PlanShape,
        (n, drafts): (usize, &[u32]),
        cancel: &Cancel,
    ) -> Result<Option<Done>, EngineError> {
        let Self { engine, memory, sequence, logits, .. } = self;
        let (n_rows, is_last) = (n + drafts.len(), n == sequence.pending().len());
        let mut lease = Lease::new(engine, shape).await?;
        if !sequence.reserve(engine, memory, n_rows)? {
            return Err(EngineError::MemoryFull);
        }
        sequence.begin(engine, memory)?;
        let start = Instant::now();
        let ids = [&sequence.pending()[..n], drafts].concat();
        let (spans, wanted) = ([sequence.span(n_rows, 0)], [n as u32 - 1]);
        let wanted = if is_last { &wanted[..] } else { &[] };
        let rows = Rows { ids: &ids, spans: &spans, wanted, cancel };
        let steps = if is_last { 0..usize::MAX } else { 0..lease.n_body };
        let backend = engine.backend();
        backend.run_steps(&mut lease.prepared, memory.states(), rows, steps).await?;
        if let (true, Some(buffer)) = (is_last, lease.logits) {
            let reading = Reading { buffer, n_rows: if drafts.is_empty() { 1 } else { n_rows } };
            backend.read(&lease.prepared, memory.states(), reading, logits).await?;
        }
        match drafts {
            [] => sequence.advance(n),
            _ => sequence.advance_in_flight(n),
        }
        let (base, time) = (Base { n_texts: 1, n_rows: n }, start.elapsed());
        Ok((!lease.is_new).then_some(Done { base, n_drafts: drafts.len(), n_accepted: 0, time }))
    }
}

/// Bytes that the memory of a [`Session`] grows to at most: its tokens', its snapshots', and what comes before the first. A prompt's rows
/// are computed `n_rows` at a time.
pub fn session_bytes(model: &dyn Model, n_rows: usize) -> usize {
    memory::with_empty(limit(model, n_rows)).n_bytes(model.states())
}

/// The most that a session can need: its sequence, its snapshots with one for drafts, and the pages that one of them holds behind a window.
fn limit(model: &dyn Model, n_rows: usize) -> PoolSize {
    let context = model.facts().context;
    let held = model.n_pages(context, 0);
    let tables = model.tables().iter().zip(model.n_pages(context, n_rows)).zip(held);
    let n_pages = tables
        .map(|((table, n), held)| n + Table::N_COPIED + if table.window.is_some() { held } else { 0 })
        .collect();
    PoolSize { n_slots: Snapshots::n_slots(N_SNAPSHOTS), n_pages }
}
