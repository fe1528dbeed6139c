//! Sequences in a memory of their own, and the rows of each that come next: to be looked into, never gone back in.

use hala_plan::{Backend, Cancel, PoolSize, Rows, Span};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::memory::Memory;
use crate::sequence::Sequence;
use crate::snapshots::Snapshots;

/// Nothing is gone back to.
const N_SNAPSHOTS: usize = 0;

/// The next rows of one sequence.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// Index of the sequence.
    pub(crate) idx: usize,
    pub(crate) n_rows: usize,
}

/// Rows that were taken, for a run.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    ids: &'a [u32],
    spans: Vec<Span<'a>>,
    wanted: &'a [u32],
}

impl Taken<'_> {
    /// The rows as a run is given them.
    pub(crate) fn rows<'r>(&'r self, cancel: &'r Cancel) -> Rows<'r> {
        Rows { ids: self.ids, spans: &self.spans, wanted: self.wanted, cancel }
    }
}

/// Sequences on their way, none of which remembers another.
#[derive(Debug)]
pub(crate) struct Batch<B: Backend> {
    memory: Memory<B>,
    sequences: Vec<Sequence>,
    /// The rows that were taken, and are not done.
    parts: Vec<Part>,
    ids: Vec<u32>,
    /// The last row of each part.
    wanted: Vec<u32>,
}

impl<B: Backend> Batch<B> {
    /// Room for all tokens of `prompts`, of which a run has `n_rows` rows at most.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn new(engine: &Engine<B>, prompts: &[&[u32]], n_rows: usize) -> Result<Self, EngineError> {
        let mut n_pages = vec![0; engine.model().tables().len()];
        let mut sequences = Vec::new();
        for prompt in prompts {
            let of_one = engine.model().n_pages(prompt.len(), n_rows.min(prompt.len()).max(1));
            n_pages.iter_mut().zip(of_one).for_each(|(sum, n)| *sum += n);
            let mut sequence = Sequence::new(engine, N_SNAPSHOTS);
            sequence.extend(prompt);
            sequences.push(sequence);
        }
        let n_slots = prompts.len() * Snapshots::n_slots(N_SNAPSHOTS);
        let memory = Memory::new(engine, PoolSize { n_slots, n_pages })?;
        Ok(Self { memory, sequences, parts: Vec::new(), ids: Vec::new(), wanted: Vec::new() })
    }

    /// Takes the next rows of the sequences in their order, as many as `n_rows` are; gives those of each. None are left where there is no
    /// part.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn take(&mut self, engine: &Engine<B>, n_rows: usize) -> Result<&[Part], EngineError> {
        let ends: Vec<usize> = self.sequences.iter().map(|sequence| sequence.ids().len()).collect();
        self.take_to(engine, &ends, n_rows)
    }

    /// As [`Batch::take`], of each sequence no rows from its position of `ends` on.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn take_to(
        &mut self,
        engine: &Engine<B>,
        ends: &[usize],
        n_rows: usize,
    ) -> Result<&[Part], EngineError> {
        let Self { memory, sequences, parts, ids, wanted } = self;
        parts.clear();
        ids.clear();
        wanted.clear();
        for (idx, (sequence, end)) in sequences.iter_mut().zip(ends).enumerate() {
            let n_rows = end.saturating_sub(sequence.n_cached()).min(n_rows - ids.len());
            if n_rows == 0 {
                continue;
            }
            if !sequence.reserve(engine, memory, n_rows)? {
                return Err(EngineError::MemoryFull);
            }
            ids.extend_from_slice(&sequence.pending()[..n_rows]);
            wanted.push(ids.len() as u32 - 1);
            parts.push(Part { idx, n_rows });
        }
        Ok(parts)
    }

    /// Rows that were taken.
    pub(crate) fn n_rows(&self) -> usize {
        self.ids.len()
    }

    /// The pool, with the rows that were taken.
    pub(crate) fn lend(&mut self) -> (&mut B::States, Taken<'_>) {
        let Self { memory, sequences, parts, ids, wanted } = self;
        let spans = parts.iter().map(|part| sequences[part.idx].span(part.n_rows, 0)).collect();
        (memory.states(), Taken { ids, spans, wanted })
    }

    /// Notes that the rows that were taken are computed, or are taken to be.
    pub(crate) fn advance(&mut self) {
        for Part { idx, n_rows } in self.parts.drain(..) {
            self.sequences[idx].advance(n_rows);
        }
    }
}
