//! One text's tokens with the pages and the slot that hold what they lead to, and the way back.

use hala_plan::{Backend, Span};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::memory::Memory;
use crate::places::Place;
use crate::snapshots::{Snapshot, Snapshots};
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

    /// Keeps the state as it is, `n_ahead` positions after what is covered, to go back to. Nothing is done where the memory is full.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn take_snapshot<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
        (n_ahead, kept): (usize, Kept),
    ) -> Result<(), EngineError> {
        let position = self.n_cached + n_ahead;
        let windows = self.tables.iter().any(Table::has_window);
        let slot = match &self.slot {
            Some(slot) => {
                let Some(copy) = memory.take_slot(engine.backend(), Some(slot))? else { return Ok(()) };
                Some(copy)
            }
            None if windows && kept == Kept::WithPages => None,
            // Going back is forgetting.
            None => return Ok(()),
        };
        let mut pages = Vec::new();
        if windows && kept == Kept::WithPages {
            self.snapshots.let_go();
            pages = self.tables.iter().map(|table| table.held(position)).collect();
        }
        self.snapshots.push(Snapshot { position, slot, pages });
        self.give_back();
        Ok(())
    }

    /// As [`Sequence::take_snapshot`], where the last one is at least `every` positions before.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn take_due_snapshot<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
        (every, n_ahead, kept): (usize, usize, Kept),
    ) -> Result<(), EngineError> {
        let is_due = self.n_cached + n_ahead >= self.snapshots.last() + every;
        if is_due { self.take_snapshot(engine, memory, (n_ahead, kept)) } else { Ok(()) }
    }

    /// Makes room for `n_rows` rows that may be refused, and sure that the states can come back from them to what they are now; `false` where
    /// the memory is full.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn hold<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
        n_rows: usize,
    ) -> Result<bool, EngineError> {
        let held = self.keep_state(engine, memory);
        match held.and_then(|is_held| Ok(is_held && self.reserve(engine, memory, n_rows)?)) {
            Err(error) if Memory::<B>::is_full(&error) => Ok(false),
            held => held,
        }
    }

    /// Keeps the state as it is until what follows at once is settled; `false` where the memory is full.
    fn keep_state<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
    ) -> Result<bool, EngineError> {
        let position = self.n_cached;
        let is_held = self.snapshots.at(position).is_some_and(|snapshot| snapshot.position == position);
        let Some(slot) = self.slot.as_ref().filter(|_| position > 0 && !is_held) else { return Ok(true) };
        let Some(copy) = memory.take_slot(engine.backend(), Some(slot))? else { return Ok(false) };
        self.snapshots.keep_briefly(Snapshot { position, slot: Some(copy), pages: Vec::new() });
        Ok(true)
    }

    /// Brings the states back to a position at or before `position`: the nearest that can be had. The tokens stay.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn rewind<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
        position: usize,
    ) -> Result<(), EngineError> {
        let position = position.min(self.n_cached);
        let is_held = self.tables.iter().all(|table| table.holds(position));
        if self.slot.is_none() && is_held {
            // All that there is of the state are pages.
            self.go_to(position);
            return Ok(());
        }
        let found = self.snapshots.at(position).cloned();
        if let Some(slot) = &self.slot {
            memory.copy_slot(engine.backend(), found.as_ref().and_then(|s| s.slot.as_ref()), slot)?;
        }
        match &found {
            None => self.go_to(0),
            Some(snapshot) => {
                if !self.tables.iter().all(|table| table.holds(snapshot.position)) {
                    self.tables
                        .iter_mut()
                        .zip(&snapshot.pages)
                        .for_each(|(table, held)| table.put_back(held));
                }
                self.go_to(snapshot.position);
            }
        }
        Ok(())
    }

    fn go_to(&mut self, position: usize) {
        self.n_cached = position;
        self.is_torn = false;
        self.tables.iter_mut().for_each(|table| table.truncate(position));
        self.snapshots.forget_from(position + 1);
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

    /// The last position at or before `position` that another sequence could begin at.
    pub(crate) fn reachable(&self, position: usize) -> usize {
        let position = position.min(self.n_cached);
        if self.slot.is_none() && self.tables.iter().all(|table| table.holds(position)) {
            return position;
        }
        let has_all = |snapshot: &Snapshot| self.tables.iter().all(|table| table.holds(snapshot.position));
        self.snapshots.at(position).filter(|s| has_all(s)).map_or(0, |snapshot| snapshot.position)
    }

    /// Another sequence of the first tokens, up to a position that is [`Sequence::reachable`] or that of the states: pages are shared until one of the two
    /// writes them. `None` where the memory is full.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn fork<B: Backend>(
        &self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
        position: usize,
    ) -> Result<Option<Self>, EngineError> {
        let mut slot = None;
        if let Some(own) = &self.slot {
            let snapshot = self.snapshots.at(position).and_then(|snapshot| snapshot.slot.as_ref());
            let from = if position == self.n_cached && !self.is_torn { Some(own) } else { snapshot };
            slot = memory.take_slot(engine.backend(), from)?;
            if slot.is_none() {
                return Ok(None);
            }
        }
        let mut fork = Self {
            ids: self.ids[..position].to_vec(),
            n_cached: position,
            tables: self.tables.clone(),
            numbers: self.numbers.clone(),
            slot,
            snapshots: self.snapshots.clone(),
            is_torn: false,
        };
        fork.go_to(position);
        fork.snapshots.forget_brief();
        Ok(Some(fork))
    }
}

/// Tokens that two texts have in common from the start on.
pub(crate) fn n_common(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// What a snapshot holds of layers with a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Nothing: it serves until the pages that it needs are given back.
    Beside,
    /// The pages that it needs, in the place of the last snapshot that did: where a text may be gone back to for long.
    WithPages,
}
