//! Where the rows of a run belong: to which sequence, and at which position of it.

use hala_plan::{PAGE, Rows, Span};

/// One row's sequence and position.
#[derive(Debug, Clone, Copy)]
struct Place {
    span: usize,
    position: usize,
}

/// The places of a run's rows, in memory that is kept from run to run.
#[derive(Debug, Default)]
pub(crate) struct Places(Vec<Place>);

impl Places {
    /// Those of this run.
    pub(crate) fn of<'a>(&'a mut self, rows: &Rows<'a>) -> Placed<'a> {
        self.0.clear();
        for (span, Span { n_rows, position, .. }) in rows.spans.iter().enumerate() {
            self.0.extend((0..*n_rows).map(|i| Place { span, position: position + i }));
        }
        Placed { places: &self.0, spans: rows.spans }
    }
}

/// A run's rows with what tells their pages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<'a> {
    places: &'a [Place],
    /// Whose rows they are.
    pub(crate) spans: &'a [Span<'a>],
}

/// An entry of a cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// Index of the page.
    pub(crate) page: usize,
    /// Index within the page.
    pub(crate) entry: usize,
}

impl Placed<'_> {
    /// The position of a row.
    #[inline(always)]
    pub(crate) fn position(&self, row: usize) -> usize {
        self.places[row].position
    }

    /// Where the caches of a table hold a row.
    #[inline(always)]
    pub(crate) fn entry(&self, row: usize, table: u32) -> Entry {
        let Place { span, position } = self.places[row];
        Entry { page: page(&self.spans[span], table, position), entry: position % PAGE }
    }
}

/// The page that has a position of a sequence.
#[inline(always)]
pub(crate) fn page(span: &Span<'_>, table: u32, position: usize) -> usize {
    span.tables[table as usize][position / PAGE] as usize
}
