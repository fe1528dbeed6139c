//! One sequence in a memory of its own, for Plans that are run beside sessions: to look into them.

use hala_plan::{Backend, PoolSize, Span};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::memory::Memory;
use crate::sequence::Sequence;

/// A sequence that is never gone back in.
#[derive(Debug)]
pub(crate) struct Alone<B: Backend> {
    memory: Memory<B>,
    sequence: Sequence,
}

impl<B: Backend> Alone<B> {
    /// Room for `n_tokens` that are computed in runs of `n_rows` at most.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn new(engine: &Engine<B>, n_tokens: usize, n_rows: usize) -> Result<Self, EngineError> {
        let n_pages = engine.model().n_pages(n_tokens, n_rows).into_iter().map(|n| n + 1).collect();
        let memory = Memory::new(engine, PoolSize { n_slots: 2, n_pages })?;
        Ok(Self { memory, sequence: Sequence::new(engine, 1) })
    }

    /// Makes room for the next `n_rows` rows.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn reserve(&mut self, engine: &Engine<B>, n_rows: usize) -> Result<(), EngineError> {
        let Self { memory, sequence } = self;
        if sequence.reserve(engine, memory, n_rows)? { Ok(()) } else { Err(EngineError::MemoryFull) }
    }

    /// The pool, with the next `n_rows` rows, for which there is room.
    pub(crate) fn parts(&mut self, n_rows: usize) -> (&mut B::States, Span<'_>) {
        let Self { memory, sequence } = self;
        (memory.states(), sequence.span(n_rows, 0))
    }

    /// Notes that `n_rows` more rows are computed, or are taken to be.
    pub(crate) fn advance(&mut self, n_rows: usize) {
        self.sequence.advance(n_rows);
    }
}
