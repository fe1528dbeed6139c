//! All that a sequence holds, as a file has it.

use std::collections::HashMap;

use hala_plan::Backend;

use super::Sequence;
use crate::engine::Engine;
use crate::places::Place;
use crate::saved::layout::{Layout, Pages, SavedSnapshot};
use crate::snapshots::{Held, Kept, Snapshot};
use crate::table::Table;

/// The pages of each table and the slots that a sequence holds, each once, and which is for what.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) layout: Layout,
    pub(crate) pages: Vec<Vec<Place>>,
    pub(crate) slots: Vec<Place>,
}

impl Sequence {
    /// What a sequence that rests holds.
    pub(crate) fn image(&self) -> Image {
        let mut pages: Vec<Gathered> = self.tables.iter().map(|_| Gathered::default()).collect();
        let mut slots = Gathered::default();
        let tables = self.tables.iter().zip(&mut pages);
        let tables =
            tables.map(|(table, pages)| pages.add_all(&table.of_first(self.n_cached), self.n_cached));
        let tables = tables.collect();
        let slot = self.slot.as_ref().map(|slot| slots.add(slot));
        let mut snapshots = Vec::new();
        for snapshot in self.snapshots.iter().filter(|snapshot| snapshot.position <= self.n_cached) {
            let position = snapshot.position;
            let held = snapshot.pages.iter().zip(&mut pages);
            snapshots.push(SavedSnapshot {
                position,
                slot: snapshot.slot.as_ref().map(|slot| slots.add(slot)),
                is_way_back: snapshot.kept == Kept::WithPages,
                tables: held.map(|(held, pages)| pages.add_all(held, position)).collect(),
            });
        }
        let pages = pages.into_iter().map(|pages| pages.places).collect();
        let layout = Layout { n_tokens: self.n_cached, tables, slot, snapshots };
        Image { layout, pages, slots: slots.places }
    }

    /// The sequence of an image whose layout was checked.
    pub(crate) fn of_image<B: Backend>(
        engine: &Engine<B>,
        ids: Vec<u32>,
        image: &Image,
        n_snapshots: usize,
    ) -> Self {
        let Image { layout, pages, slots } = image;
        let held = |(run, pages): (&Pages, &Vec<Place>)| Held {
            first: run.first,
            pages: run.pages.iter().filter_map(|page| pages.get(*page).cloned()).collect(),
        };
        let slot = |slot: Option<usize>| slot.and_then(|slot| slots.get(slot).cloned());
        let mut sequence = Self::new(engine, n_snapshots);
        let tables = layout.tables.iter().zip(pages).map(held);
        sequence.tables.iter_mut().zip(tables).for_each(|(table, held)| table.take_all(&held));
        (sequence.ids, sequence.n_cached, sequence.slot) = (ids, layout.n_tokens, slot(layout.slot));
        for saved in &layout.snapshots {
            let kept = if saved.is_way_back { Kept::WithPages } else { Kept::Beside };
            let pages = saved.tables.iter().zip(pages).map(held).collect();
            let (position, slot) = (saved.position, slot(saved.slot));
            sequence.snapshots.push(Snapshot { position, slot, pages, kept });
        }
        sequence
    }
}

/// Places, each once.
#[derive(Debug, Default)]
struct Gathered {
    places: Vec<Place>,
    numbers: HashMap<u32, usize>,
}

impl Gathered {
    fn add(&mut self, place: &Place) -> usize {
        let places = &mut self.places;
        *self.numbers.entry(place.idx()).or_insert_with(|| {
            places.push(place.clone());
            places.len() - 1
        })
    }

    /// Those of the pages that the first `n_tokens` fill; others were taken ahead of the tokens to come.
    fn add_all(&mut self, held: &Held, n_tokens: usize) -> Pages {
        let n_pages = Table::n_pages_of(n_tokens).saturating_sub(held.first);
        let pages = held.pages.iter().take(n_pages);
        Pages { first: held.first, pages: pages.map(|page| self.add(page)).collect() }
    }
}
