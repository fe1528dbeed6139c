//! One sequence's page table: the pages of its positions, of which those behind a window are given back.

use hala_plan::{Backend, PAGE, TableSpec};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::memory::Memory;
use crate::places::Place;
use crate::snapshots::Held;

/// Stands in a table for a page that was given back.
const GONE: u32 = u32::MAX;

/// The pages of one kind of layer.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    spec: TableSpec,
    /// Index of the table among the model's.
    idx: usize,
    /// Index of the first page that is held.
    first: usize,
    pages: Vec<Place>,
}

impl Table {
    /// Pages that a sequence needs beside those that it holds: a page that is shared is copied to another before it is let go of.
    pub(crate) const N_COPIED: usize = 1;

    pub(crate) fn new(idx: usize, spec: TableSpec) -> Self {
        Self { spec, idx, first: 0, pages: Vec::new() }
    }

    /// Whether pages are given back.
    pub(crate) fn has_window(&self) -> bool {
        self.spec.window.is_some()
    }

    /// Whether the token at `position` finds all that it sees.
    pub(crate) fn holds(&self, position: usize) -> bool {
        first_page_seen(self.spec, position) >= self.first
    }

    /// Makes the positions from `start` to `end` ones that can be written, and `numbers` the table that a run reads; `false` where the
    /// pool has no page left.
    ///
    /// # Errors
    /// No memory, or a lost device.
    pub(crate) fn reserve<B: Backend>(
        &mut self,
        (engine, memory): (&Engine<B>, &mut Memory<B>),
        [start, end]: [usize; 2],
        numbers: &mut Vec<u32>,
    ) -> Result<bool, EngineError> {
        let n_pages = end.div_ceil(PAGE);
        while self.first + self.pages.len() < n_pages {
            let Some(page) = memory.take_page(engine.backend(), self.idx)? else { return Ok(false) };
            self.pages.push(page);
        }
        for i in start / PAGE..n_pages {
            let page = &mut self.pages[i - self.first];
            if page.is_shared() {
                let Some(copy) = memory.copy_page(engine.backend(), self.idx, page)? else {
                    return Ok(false);
                };
                *page = copy;
            }
        }
        self.number(numbers);
        Ok(true)
    }

    /// Writes the table that a run reads.
    fn number(&self, numbers: &mut Vec<u32>) {
        numbers.clear();
        numbers.resize(self.first, GONE);
        numbers.extend(self.pages.iter().map(Place::idx));
    }

    /// Gives back the pages that no token from `position` on sees.
    pub(crate) fn give_back(&mut self, position: usize) {
        let n_gone = first_page_seen(self.spec, position).saturating_sub(self.first).min(self.pages.len());
        self.pages.drain(..n_gone);
        self.first += n_gone;
    }

    /// Gives back the pages after the first `n_tokens` positions.
    pub(crate) fn truncate(&mut self, n_tokens: usize) {
        let n_kept = Self::n_pages_of(n_tokens).saturating_sub(self.first);
        self.pages.truncate(n_kept);
        if n_tokens == 0 {
            self.first = 0;
        }
    }

    /// The pages that the token at `position` sees, shared; of a table without a window none, since it keeps them anyway.
    pub(crate) fn held(&self, position: usize) -> Held {
        if !self.has_window() {
            return Held::default();
        }
        let first = self.first.max(first_page_seen(self.spec, position));
        Held { first, pages: self.pages.get(first - self.first..).unwrap_or_default().to_vec() }
    }

    /// Pages that so many tokens fill.
    pub(crate) fn n_pages_of(n_tokens: usize) -> usize {
        n_tokens.div_ceil(PAGE)
    }

    /// All pages that the first `n_tokens` fill, shared, as far as they are held.
    pub(crate) fn of_first(&self, n_tokens: usize) -> Held {
        let n_pages = Self::n_pages_of(n_tokens).saturating_sub(self.first).min(self.pages.len());
        Held { first: self.first, pages: self.pages[..n_pages].to_vec() }
    }

    /// Makes these the pages of the table.
    pub(crate) fn take_all(&mut self, held: &Held) {
        (self.first, self.pages) = (held.first, held.pages.clone());
    }

    /// Takes back pages that were held.
    pub(crate) fn put_back(&mut self, held: &Held) {
        if self.has_window() {
            self.take_all(held);
        }
    }

    /// Pages held.
    pub(crate) fn n_pages(&self) -> usize {
        self.pages.len()
    }
}

/// Index of the first page that the token at `position` sees.
pub(crate) fn first_page_seen(spec: TableSpec, position: usize) -> usize {
    spec.window.map_or(0, |window| (position + 1).saturating_sub(window as usize)) / PAGE
}
