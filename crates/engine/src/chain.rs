//! Tokens that the device chooses itself, some of them ahead of those that a session hands out.
//!
//! A session counts as its own only what was handed out: what the states hold beyond that is taken back when the chain is left, by
//! going back to a snapshot.

use std::collections::VecDeque;
use std::sync::Arc;

use hala_plan::ops::sample::{Choice, DECLINED, TokenSet};
use hala_plan::{AheadRow, Backend, Cancel, Start};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::flight::Flight;
use crate::memory::Memory;
use crate::rng::uniform;
use crate::sequence::Sequence;
use crate::snapshots::Kept;

/// Positions between two snapshots of a chain, so that leaving it repeats no more tokens than a short chunk has.
pub(crate) const SNAPSHOT_EVERY: usize = 16;

/// How the tokens of a text are chosen.
#[derive(Debug, Clone, Copy)]
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

impl Choosing<'_> {
    /// Where the tokens after the next `n_pending` are drawn.
    pub(crate) fn draws(&self, n_pending: usize, n_runs: usize) -> Vec<f32> {
        let steps = (self.n_drawn..).skip(n_pending).take(n_runs);
        steps.map(|step| uniform(self.seed, step) as f32).collect()
    }

    /// The ids that the repetition penalty is for.
    pub(crate) fn seen(&self, n_vocab: usize) -> TokenSet {
        if self.choice.repetition_penalty == 1.0 {
            return TokenSet::default();
        }
        TokenSet::of(n_vocab, self.so_far.iter().copied().flatten().copied())
    }
}

/// What a chain works on.
#[derive(Debug)]
pub(crate) struct Place<'a, B: Backend> {
    pub(crate) engine: &'a Arc<Engine<B>>,
    pub(crate) memory: &'a mut Memory<B>,
    pub(crate) sequence: &'a mut Sequence,
}

/// Where a session's chain stands.
#[derive(Debug)]
pub(crate) struct Chain<B: Backend> {
    flight: Option<Flight<B>>,
    /// Tokens that were read and not handed out.
    ready: VecDeque<u32>,
    /// The token handed out last: the chain goes on where it comes back.
    last: Option<u32>,
    /// Tokens in the state once all that was queued is done.
    end: usize,
}

impl<B: Backend> Default for Chain<B> {
    fn default() -> Self {
        Self { flight: None, ready: VecDeque::new(), last: None, end: 0 }
    }
}

impl<B: Backend> Chain<B> {
    /// Adds one token and gives the one that the device chooses after it; `None` where it cannot choose, and then nothing
    /// was added.
    ///
    /// # Errors
    /// As for [`Session::decode`](crate::Session::decode).
    pub(crate) async fn decode(
        &mut self,
        mut place: Place<'_, B>,
        id: u32,
        choosing: &Choosing<'_>,
        cancel: &Cancel,
    ) -> Result<Option<u32>, EngineError> {
        match self.next(&mut place, id, choosing, cancel).await {
            Ok(Some(chosen)) => Ok(Some(chosen)),
            Ok(None) => {
                self.leave(place).await?;
                Ok(None)
            }
            Err(error) => {
                // Where even that fails the device is gone, and the first error says so.
                let _ = self.leave(place).await;
                Err(error)
            }
        }
    }

    async fn next(
        &mut self,
        place: &mut Place<'_, B>,
        id: u32,
        choosing: &Choosing<'_>,
        cancel: &Cancel,
    ) -> Result<Option<u32>, EngineError> {
        if cancel.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        if self.last != Some(id) {
            let Place { engine, memory, sequence } = place;
            self.leave(Place { engine, memory, sequence }).await?;
            if !sequence.pending().is_empty() {
                return Ok(None);
            }
        }
        if self.ready.is_empty() {
            self.queue(place, id, choosing, cancel).await?;
            self.read(place.engine).await?;
        }
        let Some(chosen) = self.ready.pop_front().filter(|chosen| *chosen != DECLINED) else {
            return Ok(None);
        };
        place.sequence.extend(&[id]);
        place.sequence.advance(1);
        self.last = Some(chosen);
        Ok(Some(chosen))
    }

    /// Queues batches up to what the backend is to be ahead, and no more than are wanted or fit the context.
    async fn queue(
        &mut self,
        place: &mut Place<'_, B>,
        id: u32,
        choosing: &Choosing<'_>,
        cancel: &Cancel,
    ) -> Result<(), EngineError> {
        let Place { engine, memory, sequence } = place;
        let facts = engine.model().facts();
        let mut flight = match self.flight.take() {
            Some(flight) => flight,
            None => Flight::new(engine, 1).await?,
        };
        let mut start = self.last.is_none().then(|| choosing.seen(facts.n_vocab));
        if start.is_some() {
            self.end = sequence.n_cached();
        }
        let mut result = Ok(());
        while result.is_ok() && flight.has_room(engine) {
            let n_pending = flight.n_flying() + self.ready.len();
            let n_wanted = choosing.n_wanted.saturating_sub(n_pending);
            let n_runs = Flight::n_batch(engine).min(n_wanted).min(facts.context.saturating_sub(self.end));
            if n_runs == 0 {
                break;
            }
            let n_ahead = self.end - sequence.n_cached();
            if !sequence.reserve(engine, memory, n_ahead + n_runs)? {
                break;
            }
            sequence.take_due_snapshot(engine, memory, (SNAPSHOT_EVERY, n_ahead, Kept::Beside))?;
            let draws = choosing.draws(n_pending, n_runs);
            let (seen, banned) = (start.take(), engine.undefined_set());
            let start = seen.as_ref().map(|seen| Start { id, banned, seen });
            let row =
                AheadRow { start, span: sequence.span(1, n_ahead), choice: choosing.choice, draws: &draws };
            // Where this fails half-way some runs may have changed the state.
            self.end += n_runs;
            result = flight.queue(engine, memory, &[row], cancel).await;
        }
        self.flight = Some(flight);
        result
    }

    /// Waits for the oldest batch.
    async fn read(&mut self, engine: &Engine<B>) -> Result<(), EngineError> {
        if let Some(flight) = &mut self.flight {
            self.ready.extend(flight.read(engine).await?);
        }
        Ok(())
    }

    /// Takes back what the device computed beyond the session's tokens.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) async fn leave(&mut self, place: Place<'_, B>) -> Result<(), EngineError> {
        let Place { engine, memory, sequence } = place;
        let mut result = Ok(());
        while self.flight.as_ref().is_some_and(|flight| flight.n_flying() > 0) {
            result = result.and(self.read(engine).await);
        }
        let is_beyond = self.end > sequence.n_cached();
        *self = Self::default();
        if is_beyond {
            // The tokens themselves stay: the state is computed again where it is needed.
            sequence.rewind(engine, memory, sequence.n_cached())?;
        }
        result
    }
}
