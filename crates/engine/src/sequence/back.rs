//! The ways back in a sequence: snapshots, going back to them, and other sequences that begin at one.

use hala_plan::Backend;

use super::{Sequence, n_common};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::memory::Memory;
use crate::snapshots::{Kept, Snapshot};
use crate::table::Table;

impl Sequence {
    /// Whether going back needs a state that was kept: where there are only pages of all positions, it is forgetting.
    pub(crate) fn needs_snapshots<B: Backend>(&self, memory: &Memory<B>) -> bool {
        memory.has_slots() || self.tables.iter().any(Table::has_window)
    }

    /// The last position that is kept with its pages, to be gone back to for long.
    pub(crate) fn way_back(&self) -> Option<usize> {
        self.snapshots.with_pages().map(|snapshot| snapshot.position)
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
        self.snapshots.push(Snapshot { position, slot, pages, kept });
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
        let (slot, pages) = (Some(copy), Vec::new());
        self.snapshots.keep_briefly(Snapshot { position, slot, pages, kept: Kept::Beside });
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

    pub(super) fn go_to(&mut self, position: usize) {
        self.n_cached = position;
        self.is_torn = false;
        self.tables.iter_mut().for_each(|table| table.truncate(position));
        self.snapshots.forget_from(position + 1);
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

    /// Tokens that stay covered where `tokens`, at least one, are made those of the sequence.
    pub(crate) fn resumable(&self, tokens: &[u32]) -> usize {
        let position = n_common(tokens, &self.ids).min(tokens.len() - 1);
        if position >= self.n_cached && !self.is_torn {
            return self.n_cached;
        }
        let is_held = self.slot.is_none() && self.tables.iter().all(|table| table.holds(position));
        if is_held { position } else { self.snapshots.at(position).map_or(0, |snapshot| snapshot.position) }
    }

    /// Makes it one that rests: what is not covered is dropped, and what a run did that was dropped in the middle.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn rest<B: Backend>(
        &mut self,
        engine: &Engine<B>,
        memory: &mut Memory<B>,
    ) -> Result<(), EngineError> {
        self.mend(engine, memory)?;
        self.drop_pending();
        self.snapshots.forget_brief();
        Ok(())
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
