//! Pages and slots of a case's sequences, given out so that a kernel which looks elsewhere is found out.
//!
//! They are given out in a scrambled order, some never; what a sequence gives back is the first to be given out again, as it was left. In a
//! page table the entries that lie wholly behind a window are [`NO_PAGE`].

use std::collections::BTreeMap;

use hala_plan::{EMPTY_SLOT, PAGE, PoolSize, Span, StateKind};

use crate::case::{Action, Case, Part};
use crate::random::Rng;

/// What stands in a table for a page that was given back: no pool has so many.
pub(crate) const NO_PAGE: u32 = u32::MAX;

/// Pages and slots that are left over where all sequences have theirs.
const N_UNUSED: usize = 2;

/// Pages that a sequence has at most; where a run is meant to be refused for its positions, its table ends here.
const MAX_PAGES: usize = 64;

/// What one sequence has.
#[derive(Debug)]
struct Held {
    slot: u32,
    /// Where its snapshot is, if it ever had one.
    snapshot: Option<u32>,
    tables: Vec<Vec<u32>>,
    /// Positions that it has seen.
    end: usize,
}

/// Who has which page and slot.
#[derive(Debug)]
pub(crate) struct Pool {
    size: PoolSize,
    windows: Vec<Option<u32>>,
    /// The last is given out next.
    slots: Vec<u32>,
    pages: Vec<Vec<u32>>,
    /// Whether each page was ever given out.
    is_used: Vec<Vec<bool>>,
    sequences: BTreeMap<usize, Held>,
}

impl Pool {
    /// Room for all parts of the sequences of a case.
    pub(crate) fn new(case: &Case, parts: impl Iterator<Item = Part>) -> Self {
        let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
        for part in parts {
            let end = ends.entry(part.sequence).or_default();
            *end = n_pages(&part).max(*end);
        }
        let n_pages = ends.values().sum::<usize>() + N_UNUSED;
        let snapshots = case.actions().iter().filter(|a| matches!(a, Action::Snapshot(_))).count();
        let n_slots = 1 + ends.len().max(1) + snapshots + N_UNUSED;
        let mut rng = Rng::new(&case.name);
        let windows: Vec<_> = case.tables().iter().map(|table| table.window).collect();
        Self {
            size: PoolSize { n_slots, n_pages: vec![n_pages; windows.len()] },
            slots: scrambled(1..n_slots as u32, &mut rng),
            pages: windows.iter().map(|_| scrambled(0..n_pages as u32, &mut rng)).collect(),
            is_used: vec![vec![false; n_pages]; windows.len()],
            windows,
            sequences: BTreeMap::new(),
        }
    }

    /// Pages and slots in all.
    pub(crate) fn size(&self) -> &PoolSize {
        &self.size
    }

    /// Gives a sequence what a run of it needs; the slot that must be emptied first, where it is a new one.
    pub(crate) fn take(&mut self, part: &Part) -> Option<u32> {
        let mut new = None;
        let mut held = self.sequences.remove(&part.sequence).unwrap_or_else(|| {
            let slot = self.slots.pop().expect("slots for all sequences");
            new = Some(slot);
            Held { slot, snapshot: None, tables: vec![Vec::new(); self.windows.len()], end: 0 }
        });
        held.end = part.position.saturating_add(part.ids.len());
        for (i, table) in held.tables.iter_mut().enumerate() {
            let first_seen = |window: u32| (part.position + 1).saturating_sub(window as usize);
            let n_behind = self.windows[i].map_or(0, first_seen) / PAGE;
            for entry in table.iter_mut().take(n_behind) {
                self.give_back(i, std::mem::replace(entry, NO_PAGE));
            }
            while table.len() < n_pages(part) {
                table.push(self.take_page(i));
            }
        }
        self.sequences.insert(part.sequence, held);
        new
    }

    fn take_page(&mut self, table: usize) -> u32 {
        let page = self.pages[table].pop().expect("pages for all sequences");
        self.is_used[table][page as usize] = true;
        page
    }

    /// Takes back a page that one sequence gave up, unless another one has it too.
    fn give_back(&mut self, table: usize, page: u32) {
        let is_shared = self.sequences.values().any(|held| held.tables[table].contains(&page));
        if page != NO_PAGE && !is_shared {
            self.pages[table].push(page);
        }
    }

    /// Begins the sequence `to` where `from` is; the slot and, for each table, the page that must be copied, from where and to where.
    pub(crate) fn fork(&mut self, from: usize, to: usize) -> ([u32; 2], Vec<(u32, [u32; 2])>) {
        let (mut tables, end) = (self.sequences[&from].tables.clone(), self.sequences[&from].end);
        let slots = [self.sequences[&from].slot, self.slots.pop().expect("slots for all sequences")];
        let mut pages = Vec::new();
        for (i, table) in tables.iter_mut().enumerate().filter(|_| !end.is_multiple_of(PAGE)) {
            let last = table.last_mut().expect("a page that is begun");
            let own = self.take_page(i);
            pages.push((i as u32, [std::mem::replace(last, own), own]));
        }
        self.sequences.insert(to, Held { slot: slots[1], snapshot: None, tables, end });
        (slots, pages)
    }

    /// The rows of a sequence in a run.
    pub(crate) fn span(&self, part: &Part) -> Span<'_> {
        let held = &self.sequences[&part.sequence];
        Span { n_rows: part.ids.len(), position: part.position, slot: held.slot, tables: &held.tables }
    }

    /// The slot of a sequence, and the one for its snapshot.
    pub(crate) fn snapshot(&mut self, sequence: usize) -> [u32; 2] {
        let held = self.sequences.get_mut(&sequence).expect("a sequence that has begun");
        let snapshot = held.snapshot.or_else(|| self.slots.pop()).expect("slots for all snapshots");
        held.snapshot = Some(snapshot);
        [held.slot, snapshot]
    }

    /// Takes back what a sequence has.
    pub(crate) fn forget(&mut self, sequence: usize) {
        let held = self.sequences.remove(&sequence).expect("a sequence that has begun");
        self.slots.extend(held.snapshot.into_iter().chain([held.slot]));
        for (i, table) in held.tables.into_iter().enumerate() {
            table.into_iter().for_each(|page| self.give_back(i, page));
        }
    }

    /// Leaves out what lies behind all that is in use.
    pub(crate) fn shrink(&mut self) {
        let slots = self.sequences.values().flat_map(|held| held.snapshot.into_iter().chain([held.slot]));
        self.size.n_slots = slots.max().map_or(1, |last| last as usize + 1);
        self.slots.retain(|slot| (*slot as usize) < self.size.n_slots);
        for (i, n_pages) in self.size.n_pages.iter_mut().enumerate() {
            let pages = self.sequences.values().flat_map(|held| &held.tables[i]);
            *n_pages = pages.filter(|page| **page != NO_PAGE).max().map_or(0, |last| *last as usize + 1);
            self.pages[i].retain(|page| (*page as usize) < *n_pages);
            self.is_used[i].truncate(*n_pages);
        }
    }

    /// Adds so many slots, and pages of each table.
    pub(crate) fn grow(&mut self, n: usize) {
        let more = |n_places: &mut usize| {
            let first = *n_places as u32;
            *n_places += n;
            first..*n_places as u32
        };
        self.slots.extend(more(&mut self.size.n_slots));
        for (i, n_pages) in self.size.n_pages.iter_mut().enumerate() {
            self.pages[i].extend(more(n_pages));
            self.is_used[i].resize(*n_pages, false);
        }
    }

    /// Of the elements of all pages or slots of a state, those of the sequences of a run, one after the other.
    ///
    /// # Panics
    /// A kernel has written to what no sequence has.
    pub(crate) fn of_parts(&self, kind: StateKind, values: &[f32], parts: &[Part]) -> Vec<f32> {
        let size = values.len() / self.size.n_places(kind);
        let place = |i: u32| &values[i as usize * size..][..size];
        match kind {
            StateKind::Recurrent => {
                assert!(
                    place(EMPTY_SLOT).iter().all(|x| *x == 0.0),
                    "the slot of the empty state was written to"
                );
                parts.iter().flat_map(|part| place(self.sequences[&part.sequence].slot)).copied().collect()
            }
            StateKind::Paged { table } => {
                let unused = (0..).zip(&self.is_used[table as usize]).filter(|(_, is_used)| !**is_used);
                for (page, _) in unused {
                    assert!(
                        place(page).iter().all(|x| *x == 0.0),
                        "page {page} was written to, and is nobody's"
                    );
                }
                let table = |part: &Part| &self.sequences[&part.sequence].tables[table as usize];
                parts.iter().flat_map(table).flat_map(|page| place(*page)).copied().collect()
            }
        }
    }
}

/// Pages that a sequence has when this part of it has run.
fn n_pages(part: &Part) -> usize {
    part.position.saturating_add(part.ids.len()).div_ceil(PAGE).min(MAX_PAGES)
}

/// These numbers in a random order, of which the lowest is not the last.
fn scrambled(numbers: std::ops::Range<u32>, rng: &mut Rng) -> Vec<u32> {
    let mut numbers: Vec<u32> = numbers.collect();
    let lowest = numbers[0];
    (1..numbers.len()).rev().for_each(|i| numbers.swap(i, rng.below(i + 1)));
    let last = numbers.len() - 1;
    if numbers[last] == lowest {
        numbers.swap(0, last);
    }
    numbers
}
