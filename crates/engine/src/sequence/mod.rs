//! One text's tokens with the pages and the slot that hold what they lead to, and the way back.

mod back;
pub(crate) mod image;

use hala_plan::{Backend, Span};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::memory::Memory;
use crate::places::Place;
use crate::snapshots::Snapshots;
use crate::table::Table;

/// Decoded tokens after which a snapshot is due, so that going back never repeats more.
pub(crate) const SNAPSHOT_EVERY: usize = 64;

/// Tokens of one text, and where in a memory the states are that the first of them lead to. Dropping it gives the memory back.
#[derive(Debug)]
pub(crate) struct Sequence {
    ids: Vec<u32>,
    /// Tokens that the states cover.
    n_cached: usize,
    tables: Vec<Table>,
    /// The tables as runs read them.
    numbers: Vec<Vec<u32>>,
    slot: Option<Place>,
    snapshots: Snapshots,
    /// Whether the recurrent states may be those of other tokens: a run began, and did not tell its end.
    is_torn: bool,
}

impl Sequence {
    /// An empty sequence that keeps at most so many snapshots.
    pub(crate) fn new<B: Backend>(engine: &Engine<B>, n_snapshots: usize) -> Self {
        let specs = engine.model().tables();
        let tables: Vec<Table> = specs.iter().enumerate().map(|(i, spec)| Table::new(i, *spec)).collect();
        Self {
            ids: Vec::new(),
            n_cached: 0,
            numbers: vec![Vec::new(); tables.len()],
            tables,
            slot: None,
            snapshots: Snapshots::new(n_snapshots),
            is_torn: false,
        }
    }

    /// Changes how many snapshots are kept at most.
    pub(crate) fn keep_snapshots(&mut self, most: usize) {
        self.snapshots.set_most(most);
    }

    /// The tokens held.
    pub(crate) fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Tokens that the states cover.
    pub(crate) fn n_cached(&self) -> usize {
        self.n_cached
    }

    /// The tokens that are not covered yet.
    pub(crate) fn pending(&self) -> &[u32] {
        &self.ids[self.n_cached..]
    }

    /// Adds tokens, which are not covered yet.
    pub(crate) fn extend(&mut self, ids: &[u32]) {
        self.ids.extend_from_slice(ids);
    }

    /// Drops tokens after the first `n_tokens` that are not covered.
    pub(crate) fn truncate_ids(&mut self, n_tokens: usize) {
        self.ids.truncate(n_tokens.max(self.n_cached));
    }

    /// Drops the tokens that are not covered.
    pub(crate) fn drop_pending(&mut self) {
        self.ids.truncate(self.n_cached);
    }

    /// Pages held of each table.
    pub(crate) fn n_pages(&self) -> Vec<usize> {
        self.tables.iter().map(Table::n_pages).collect()
    }

    /// Makes room for the next `n_rows` positions; `false` where the memory is full. What was taken until then stays.
    ///
    /// # Errors
    /// No memory, or a lost device.
    pub(crate) fn reserve<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
        n_rows: usize,
    ) -> Result<bool, EngineError> {
        if memory.has_slots() && self.slot.is_none() {
            self.slot = memory.take_slot(engine.backend(), None)?;
            if self.slot.is_none() {
                return Ok(false);
            }
        }
        let range = [self.n_cached, self.n_cached + n_rows];
        for (table, numbers) in self.tables.iter_mut().zip(&mut self.numbers) {
            if !table.reserve((engine, memory), range, numbers)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Notes that a run begins, whose end [`Sequence::advance`] or [`Sequence::rewind`] tells; where another began and was dropped in the
    /// middle, what it did is taken back first.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn begin<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
    ) -> Result<(), EngineError> {
        self.mend(engine, memory)?;
        self.is_torn = true;
        Ok(())
    }

    /// Takes back what a run did that was dropped in the middle.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn mend<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
    ) -> Result<(), EngineError> {
        if self.is_torn { self.rewind(engine, memory, self.n_cached) } else { Ok(()) }
    }

    /// Notes that the states are those of the tokens that are covered.
    pub(crate) fn settle(&mut self) {
        self.is_torn = false;
    }

    /// The next `n_rows` rows, for which there is room, `n_ahead` positions after the states.
    pub(crate) fn span(&self, n_rows: usize, n_ahead: usize) -> Span<'_> {
        let slot = self.slot.as_ref().map_or(0, Place::idx);
        Span { n_rows, position: self.n_cached + n_ahead, slot, tables: &self.numbers }
    }

    /// Notes that `n_rows` more tokens are covered, and gives back what lies behind the windows.
    pub(crate) fn advance(&mut self, n_rows: usize) {
        self.n_cached += n_rows;
        self.is_torn = false;
        self.give_back();
    }

    /// Gives back the pages that nothing from the last snapshot on sees.
    fn give_back(&mut self) {
        // Whatever happens in the next run, the last snapshot is gone back to.
        let last = || self.snapshots.at(self.n_cached).map_or(0, |snapshot| snapshot.position);
        let position = if self.slot.is_some() { last() } else { self.n_cached };
        self.tables.iter_mut().for_each(|table| table.give_back(position));
        let tables = &self.tables;
        self.snapshots.retain(|snapshot| {
            !snapshot.pages.is_empty() || tables.iter().all(|table| table.holds(snapshot.position))
        });
    }

    /// As [`Sequence::advance`], while the states are still ahead.
    pub(crate) fn advance_in_flight(&mut self, n_rows: usize) {
        self.advance(n_rows);
        self.is_torn = true;
    }

    /// Goes back to the first `n_tokens` tokens; some of them may have to be computed again.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn truncate<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
        n_tokens: usize,
    ) -> Result<(), EngineError> {
        self.ids.truncate(n_tokens);
        if self.n_cached > n_tokens {
            self.rewind(engine, memory, n_tokens)?;
        }
        Ok(())
    }

    /// Makes `tokens`, at least one, those of the sequence: what it has of their beginning stays covered, but for the last of them, whose
    /// logits are wanted.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn set_tokens<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
        tokens: &[u32],
    ) -> Result<(), EngineError> {
        self.truncate(engine, memory, n_common(tokens, &self.ids).min(tokens.len() - 1))?;
        let n_held = self.ids.len();
        self.extend(&tokens[n_held..]);
        Ok(())
    }

    /// Gives back all memory; the tokens stay, to be computed again.
    pub(crate) fn release(&mut self) {
        self.slot = None;
        self.snapshots.clear();
        self.go_to(0);
    }
}

/// Tokens that two texts have in common from the start on.
pub(crate) fn n_common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
