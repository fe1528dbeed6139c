//! Whether the pages and slots that a run names are there, and each written by one sequence alone.

use crate::buffer::{PoolSize, StateKind};
use crate::error::BackendError;
use crate::rows::{EMPTY_SLOT, PAGE, Span};

/// The positions that an op looks at in a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Which of a sequence's page tables the cache has.
    pub table: u32,
    /// Positions that a token sees at most, its own among them; [`u32::MAX`] for all.
    pub n_seen: u32,
}

impl Window {
    /// The first position that the token at `position` sees.
    pub fn first_seen(&self, position: usize) -> usize {
        (position + 1).saturating_sub(self.n_seen as usize)
    }
}

impl PoolSize {
    /// Refuses to copy a page or slot that a pool of this size lacks, or one to the empty slot.
    ///
    /// # Errors
    /// The page or slot that cannot be read or written.
    pub fn check_copy(&self, kind: StateKind, [from, to]: [u32; 2]) -> Result<(), BackendError> {
        let n_places = self.n_places(kind);
        let is_slot = kind == StateKind::Recurrent;
        let missing = [from, to].into_iter().find(|place| *place as usize >= n_places);
        match missing.or((is_slot && to == EMPTY_SLOT).then_some(to)) {
            None => Ok(()),
            found => {
                Err(BackendError::Place { what: if is_slot { "slot" } else { "page" }, found, n_places })
            }
        }
    }
}

/// Refuses slots, and pages that are written, which a pool lacks or two spans share.
///
/// # Errors
/// A page or slot that is outside of the pool, missing, or written twice.
pub(crate) fn check(kind: StateKind, spans: &[Span<'_>], size: &PoolSize) -> Result<(), BackendError> {
    let n_places = size.n_places(kind);
    let mut written = Vec::with_capacity(spans.len());
    for span in spans {
        match kind {
            StateKind::Recurrent => {
                if span.slot == EMPTY_SLOT || span.slot as usize >= n_places {
                    return Err(BackendError::Place { what: "slot", found: Some(span.slot), n_places });
                }
                written.push(span.slot);
            }
            StateKind::Paged { table } => {
                for i in span.position / PAGE..span.end().div_ceil(PAGE) {
                    written.push(page(span, table, i, n_places)?);
                }
            }
        }
    }
    written.sort_unstable();
    match written.windows(2).find(|pair| pair[0] == pair[1]) {
        None => Ok(()),
        Some(pair) => {
            let what = if kind == StateKind::Recurrent {
                "slot, for two sequences,"
            } else {
                "page, for two sequences,"
            };
            Err(BackendError::Place { what, found: Some(pair[0]), n_places })
        }
    }
}

/// Refuses pages that attention would read and a pool lacks.
///
/// # Errors
/// A page that is outside of the pool or missing.
pub(crate) fn check_windows(
    windows: impl Iterator<Item = Window>,
    spans: &[Span<'_>],
    size: &PoolSize,
) -> Result<(), BackendError> {
    let mut checked = Vec::new();
    for window in windows {
        if checked.contains(&window) {
            continue;
        }
        checked.push(window);
        let n_places = size.n_places(StateKind::Paged { table: window.table });
        for span in spans {
            for i in window.first_seen(span.position) / PAGE..span.end().div_ceil(PAGE) {
                page(span, window.table, i, n_places)?;
            }
        }
    }
    Ok(())
}

/// The page at index `i` of a span's table.
fn page(span: &Span<'_>, table: u32, i: usize, n_places: usize) -> Result<u32, BackendError> {
    let found = span.tables.get(table as usize).and_then(|pages| pages.get(i)).copied();
    found.filter(|page| (*page as usize) < n_places).ok_or(BackendError::Place {
        what: "page",
        found,
        n_places,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(n_rows: usize, position: usize, slot: u32, tables: &[Vec<u32>]) -> Span<'_> {
        Span { n_rows, position, slot, tables }
    }

    #[test]
    fn what_is_written_is_there_and_one_sequence_s_alone() {
        let size = PoolSize { n_slots: 3, n_pages: vec![4] };
        let (shared, own) = ([vec![0, 1]], [vec![0, 2]]);
        let paged = StateKind::Paged { table: 0 };
        let both = [span(1, 64, 1, &shared), span(2, 64, 2, &own)];
        assert!(check(paged, &both, &size).is_ok());
        assert!(check(StateKind::Recurrent, &both, &size).is_ok());
        for wrong in [
            [span(1, 64, 1, &shared), span(2, 63, 1, &shared)],
            [span(1, 3, 0, &shared), span(1, 9, 3, &own)],
            [span(1, 128, 1, &shared), span(1, 64, 1, &own)],
        ] {
            assert!(check(paged, &wrong, &size).is_err(), "{wrong:?}");
            assert!(check(StateKind::Recurrent, &wrong, &size).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_copy_is_of_what_there_is_and_not_to_the_empty_slot() {
        let size = PoolSize { n_slots: 3, n_pages: vec![4] };
        let paged = StateKind::Paged { table: 0 };
        for (kind, from, to) in [(StateKind::Recurrent, EMPTY_SLOT, 2), (paged, 3, EMPTY_SLOT)] {
            assert!(size.check_copy(kind, [from, to]).is_ok());
        }
        for (kind, from, to, expected) in [
            (StateKind::Recurrent, 1, EMPTY_SLOT, EMPTY_SLOT),
            (StateKind::Recurrent, 3, 1, 3),
            (paged, 0, 4, 4),
            (StateKind::Paged { table: 1 }, 0, 0, 0),
        ] {
            let refused = size.check_copy(kind, [from, to]).unwrap_err();
            assert!(matches!(refused, BackendError::Place { found: Some(found), .. } if found == expected));
        }
    }
}
