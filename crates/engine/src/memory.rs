//! The states of sequences on a device: a pool that grows as pages are needed, up to a limit, and can give memory back.

use hala_plan::{Backend, BackendError, EMPTY_SLOT, PoolSize, StateKind, StateSpec};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::places::{Place, Places};

/// Bytes that a pool begins with, where its limit allows: more is taken as it is needed.
const FIRST_BYTES: usize = 16 << 20;

/// Pages of each table and slots that a pool begins with at least.
const FIRST_PLACES: usize = 2;

/// Slots before the first that sequences take.
const N_EMPTY: usize = EMPTY_SLOT as usize + 1;

/// The states of sequences on a device.
#[derive(Debug)]
pub(crate) struct Memory<B: Backend> {
    states: B::States,
    slots: Places,
    pages: Vec<Places>,
    size: PoolSize,
    limit: PoolSize,
    has_slots: bool,
}

impl<B: Backend> Memory<B> {
    /// A pool for sequences that hold at most `limit`, beside the slot that stays empty.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn new(engine: &Engine<B>, limit: PoolSize) -> Result<Self, EngineError> {
        let limit = with_empty(limit);
        let specs = engine.model().states();
        let has_slots = specs.iter().any(|spec| spec.kind == StateKind::Recurrent);
        let size = first_size(specs, &limit);
        let states = engine.backend().allocate(specs, &size)?;
        let slots = Places::new(N_EMPTY);
        slots.resize(size.n_slots);
        let pages = size.n_pages.iter().map(|n| {
            let pages = Places::new(0);
            pages.resize(*n);
            pages
        });
        Ok(Self { states, slots, pages: pages.collect(), size, limit, has_slots })
    }

    /// The pool, for a run.
    pub(crate) fn states(&mut self) -> &mut B::States {
        &mut self.states
    }

    /// The pool, to be read.
    pub(crate) fn shared_states(&self) -> &B::States {
        &self.states
    }

    /// Bytes that the pool takes now, of a model with these states.
    pub(crate) fn n_bytes(&self, states: &[StateSpec]) -> usize {
        self.size.n_bytes(states)
    }

    /// Whether sequences have recurrent states.
    pub(crate) fn has_slots(&self) -> bool {
        self.has_slots
    }

    /// Pages of a table that sequences hold.
    pub(crate) fn n_pages_taken(&self, table: usize) -> usize {
        self.pages.get(table).map_or(0, Places::n_taken)
    }

    /// Pages of a table that can still be had.
    pub(crate) fn n_pages_left(&self, table: usize) -> usize {
        let of = |n_pages: &[usize]| n_pages.get(table).copied().unwrap_or(0);
        let n_free = self.pages.get(table).map_or(0, Places::n_free);
        n_free + of(&self.limit.n_pages) - of(&self.size.n_pages)
    }

    /// A page that nobody has; `None` where the limit is reached.
    ///
    /// # Errors
    /// No memory, or a lost device.
    pub(crate) fn take_page(&mut self, backend: &B, table: usize) -> Result<Option<Place>, EngineError> {
        if let Some(page) = self.pages[table].take() {
            return Ok(Some(page));
        }
        let mut size = self.size.clone();
        size.n_pages[table] = grown(size.n_pages[table], self.limit.n_pages[table]);
        self.resize(backend, size)?;
        Ok(self.pages[table].take())
    }

    /// A slot that nobody has, holding what `from` holds or the state before any token; `None` where the limit is reached.
    ///
    /// # Errors
    /// No memory, or a lost device.
    pub(crate) fn take_slot(
        &mut self,
        backend: &B,
        from: Option<&Place>,
    ) -> Result<Option<Place>, EngineError> {
        let mut slot = self.slots.take();
        if slot.is_none() {
            let n_slots = grown(self.size.n_slots, self.limit.n_slots);
            self.resize(backend, PoolSize { n_slots, ..self.size.clone() })?;
            slot = self.slots.take();
        }
        if let Some(slot) = &slot {
            self.copy_slot(backend, from, slot)?;
        }
        Ok(slot)
    }

    /// Makes a slot hold what `from` holds, or the state before any token.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn copy_slot(
        &mut self,
        backend: &B,
        from: Option<&Place>,
        to: &Place,
    ) -> Result<(), EngineError> {
        let from = from.map_or(EMPTY_SLOT, Place::idx);
        Ok(backend.copy_slot(&mut self.states, from, to.idx())?)
    }

    /// A copy of a page that others have too; `None` where the limit is reached.
    ///
    /// # Errors
    /// No memory, or a lost device.
    pub(crate) fn copy_page(
        &mut self,
        backend: &B,
        table: usize,
        page: &Place,
    ) -> Result<Option<Place>, EngineError> {
        let copy = self.take_page(backend, table)?;
        if let Some(copy) = &copy {
            backend.copy_page(&mut self.states, table as u32, [page.idx(), copy.idx()])?;
        }
        Ok(copy)
    }

    /// Gives back what no sequence holds.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn trim(&mut self, backend: &B) -> Result<(), EngineError> {
        let n_pages = self.pages.iter().map(Places::n_needed).collect();
        self.resize(backend, PoolSize { n_slots: self.slots.n_needed(), n_pages })
    }

    fn resize(&mut self, backend: &B, size: PoolSize) -> Result<(), EngineError> {
        if size == self.size {
            return Ok(());
        }
        backend.resize(&mut self.states, &size)?;
        self.slots.resize(size.n_slots);
        self.pages.iter().zip(&size.n_pages).for_each(|(pages, n)| pages.resize(*n));
        self.size = size;
        Ok(())
    }

    /// Whether an error tells that there is no memory left, where giving some back may help.
    pub(crate) fn is_full(error: &EngineError) -> bool {
        matches!(error, EngineError::Backend(BackendError::OutOfMemory { .. }))
    }
}

/// What a pool has for sequences that hold so much: also the slot that stays empty.
pub(crate) fn with_empty(size: PoolSize) -> PoolSize {
    PoolSize { n_slots: N_EMPTY + size.n_slots, ..size }
}

/// All of the limit, or the part of it that [`FIRST_BYTES`] hold.
fn first_size(specs: &[StateSpec], limit: &PoolSize) -> PoolSize {
    let share = FIRST_BYTES as f64 / limit.n_bytes(specs).max(1) as f64;
    let part = |n: usize| n.min(FIRST_PLACES.max((n as f64 * share) as usize));
    PoolSize { n_slots: part(limit.n_slots), n_pages: limit.n_pages.iter().copied().map(part).collect() }
}

/// Twice as many places, up to the limit: a pool that grows by steps would be copied too often.
fn grown(n_places: usize, limit: usize) -> usize {
    (2 * n_places.max(1)).min(limit.max(n_places))
}
