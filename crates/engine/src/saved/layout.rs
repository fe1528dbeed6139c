//! Which of the pages and slots in a file is for what.

use hala_plan::{PAGE, TableSpec};
use serde::{Deserialize, Serialize};

use super::error::SavedError;
use crate::table::first_page_seen;

/// Snapshots that a file may have.
const MOST_SNAPSHOTS: usize = 64;

/// Pages of one table, side by side in the text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pages {
    /// Index of the first in the table.
    pub(crate) first: usize,
    /// Which of the table's pages in the file they are.
    pub(crate) pages: Vec<usize>,
}

/// A state to go back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedSnapshot {
    /// Tokens.
    pub(crate) position: usize,
    /// Which of the slots in the file; `None` where a model has no recurrent states.
    pub(crate) slot: Option<usize>,
    /// Whether it is the one near the end of the last prompt.
    pub(crate) is_way_back: bool,
    /// For each table with a window, the pages that it needs; empty where it holds none.
    pub(crate) tables: Vec<Pages>,
}

/// What is for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Layout {
    /// Tokens.
    pub(crate) n_tokens: usize,
    /// The pages of each table.
    pub(crate) tables: Vec<Pages>,
    /// The slot after all tokens.
    pub(crate) slot: Option<usize>,
    /// Those before.
    pub(crate) snapshots: Vec<SavedSnapshot>,
}

impl Layout {
    /// Pages of a table in the file.
    pub(crate) fn n_pages(&self, table: usize) -> usize {
        self.runs(table).flat_map(|run| &run.pages).map(|page| page.saturating_add(1)).max().unwrap_or(0)
    }

    /// Slots in the file.
    pub(crate) fn n_slots(&self) -> usize {
        self.slots().map(|slot| slot.saturating_add(1)).max().unwrap_or(0)
    }

    fn runs(&self, table: usize) -> impl Iterator<Item = &Pages> {
        let of_snapshots = self.snapshots.iter().filter_map(move |snapshot| snapshot.tables.get(table));
        self.tables.get(table).into_iter().chain(of_snapshots)
    }

    fn slots(&self) -> impl Iterator<Item = usize> {
        self.slot.into_iter().chain(self.snapshots.iter().filter_map(|snapshot| snapshot.slot))
    }

    /// Refuses what no sequence of a model with these tables can be: after this, every index is of a page or slot that is held, and everything
    /// that tokens see is there.
    ///
    /// # Errors
    /// What does not fit.
    pub(crate) fn check(&self, specs: &[TableSpec], has_slots: bool) -> Result<(), SavedError> {
        let refuse = |fits: bool, what| if fits { Ok(()) } else { Err(SavedError::Damaged { what }) };
        refuse(self.n_tokens > 0, "it has no tokens")?;
        refuse(self.tables.len() == specs.len(), "it has other page tables than the model")?;
        for (run, spec) in self.tables.iter().zip(specs) {
            refuse(run.holds(self.n_tokens, *spec), "pages are missing")?;
        }
        refuse(self.slots_fit(has_slots), "slots are missing")?;
        refuse(self.snapshots.len() <= MOST_SNAPSHOTS, "it has too many snapshots")?;
        let positions = || self.snapshots.iter().map(|snapshot| snapshot.position);
        let is_rising = positions().zip(positions().skip(1)).all(|(a, b)| a < b);
        let is_inside = positions().all(|position| (1..=self.n_tokens).contains(&position));
        refuse(is_rising && is_inside, "snapshots are out of order")?;
        let n_ways = self.snapshots.iter().filter(|snapshot| snapshot.is_way_back).count();
        refuse(n_ways <= 1, "two snapshots have one place")?;
        for snapshot in &self.snapshots {
            refuse(self.snapshot_fits(snapshot, specs), "a snapshot's pages are missing")?;
        }
        // So many that a file makes no more room than what it has.
        let n_named = |table| self.runs(table).map(|run| run.pages.len()).sum::<usize>();
        let fits = (0..specs.len()).all(|table| self.n_pages(table) <= n_named(table));
        refuse(fits && self.n_slots() <= self.slots().count(), "pages or slots are not numbered one by one")
    }

    fn slots_fit(&self, has_slots: bool) -> bool {
        self.slot.is_some() == has_slots
            && self.snapshots.iter().all(|snapshot| snapshot.slot.is_some() == has_slots)
    }

    fn snapshot_fits(&self, snapshot: &SavedSnapshot, specs: &[TableSpec]) -> bool {
        if snapshot.tables.is_empty() {
            let mut tables = self.tables.iter().zip(specs);
            return tables.all(|(run, spec)| run.first <= first_page_seen(*spec, snapshot.position));
        }
        let mut tables = snapshot.tables.iter().zip(specs);
        snapshot.tables.len() == specs.len()
            && tables.all(|(run, spec)| match spec.window {
                Some(_) => run.holds(snapshot.position, *spec),
                None => *run == Pages::default(),
            })
    }
}

impl Pages {
    /// Whether all is there that the token after the first `n_tokens` sees, and nothing beyond.
    fn holds(&self, n_tokens: usize, spec: TableSpec) -> bool {
        self.first <= first_page_seen(spec, n_tokens)
            && self.first.checked_add(self.pages.len()) == Some(n_tokens.div_ceil(PAGE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: [TableSpec; 2] = [TableSpec { window: None }, TableSpec { window: Some(64) }];

    /// 200 tokens, with a state kept after 150.
    fn layout() -> Layout {
        let run = |first: usize, pages: &[usize]| Pages { first, pages: pages.to_vec() };
        let way_back = SavedSnapshot {
            position: 150,
            slot: Some(1),
            is_way_back: true,
            tables: vec![run(0, &[]), run(1, &[2, 3])],
        };
        let beside = SavedSnapshot { position: 192, slot: Some(2), is_way_back: false, tables: vec![] };
        Layout {
            n_tokens: 200,
            tables: vec![run(0, &[0, 1, 2, 3]), run(2, &[0, 1])],
            slot: Some(0),
            snapshots: vec![way_back, beside],
        }
    }

    #[test]
    fn what_a_sequence_holds_is_accepted() {
        let layout = layout();
        layout.check(&SPECS, true).unwrap();
        assert_eq!(([0, 1].map(|table| layout.n_pages(table)), layout.n_slots()), ([4, 4], 3));
    }

    #[test]
    fn what_no_sequence_holds_is_refused() {
        let changes: [fn(&mut Layout); 15] = [
            |l| l.n_tokens = 0,
            |l| l.n_tokens = usize::MAX,
            |l| l.tables.clear(),
            |l| l.tables[0].first = 1,
            |l| l.tables[0].pages.truncate(3),
            |l| l.tables[0].pages.push(4),
            |l| l.tables[0].pages[3] = 1 << 40,
            |l| l.tables[1] = Pages { first: usize::MAX, pages: vec![0] },
            |l| l.slot = None,
            |l| l.slot = Some(usize::MAX),
            |l| l.snapshots[0].slot = None,
            |l| l.snapshots[0].position = 193,
            |l| l.snapshots[1].position = 201,
            |l| l.snapshots[0].tables[1].pages.truncate(1),
            |l| l.snapshots[1].is_way_back = true,
        ];
        for (i, change) in changes.iter().enumerate() {
            let mut changed = layout();
            change(&mut changed);
            assert!(matches!(changed.check(&SPECS, true), Err(SavedError::Damaged { .. })), "{i}");
        }
        assert!(layout().check(&SPECS, false).is_err() && layout().check(&SPECS[..1], true).is_err());
        // Without pages of its own it needs those of the sequence.
        let mut changed = layout();
        changed.snapshots[0].tables.clear();
        assert!(changed.check(&SPECS, true).is_err());
    }
}
