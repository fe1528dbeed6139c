//! Which elements of a buffer the rows of a run write, and what tells a row of it.

use std::ops::Range;

use hala_plan::{Axis, BufferId, BufferKind, PAGE, Plan, Rows, Span, StateKind};

/// What one row of a run writes of a buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrittenRow {
    /// Index of the row in the run.
    pub(super) row: usize,
    /// Elements of the buffer, or of all pages or slots of the state.
    pub(super) at: Vec<Range<usize>>,
}

impl WrittenRow {
    /// Its elements of what was read of the buffer.
    pub(super) fn of(&self, values: &[f32]) -> Vec<f32> {
        self.at.iter().flat_map(|range| values.get(range.clone()).unwrap_or_default()).copied().collect()
    }
}

/// What the rows of a run write of a buffer.
pub(super) fn written(plan: &Plan, id: BufferId, rows: &Rows<'_>) -> Vec<WrittenRow> {
    let buffer = plan.buffer(id);
    let n = buffer.shape.n_columns();
    match (buffer.kind, buffer.axis) {
        (BufferKind::State(_, StateKind::Paged { table }), _) => {
            let dims = buffer.shape.dims();
            cells(rows, table as usize, [dims[0], dims[dims.len() - 1]])
        }
        (BufferKind::State(_, StateKind::Recurrent), _) => {
            let n = buffer.shape.n_elements();
            let of_span = |(first, span): (usize, &Span<'_>)| {
                let slot = span.slot as usize;
                WrittenRow { row: first + span.n_rows - 1, at: nth(slot, n) }
            };
            rows.placed().map(of_span).collect()
        }
        (_, Axis::Wanted) => {
            let of_row = |(i, row): (usize, &u32)| WrittenRow { row: *row as usize, at: nth(i, n) };
            rows.wanted.iter().enumerate().map(of_row).collect()
        }
        (_, Axis::Rows | Axis::Fixed) => {
            let of_row = |row: usize| WrittenRow { row, at: nth(row, n) };
            (0..plan.n_rows_of(id, rows)).map(of_row).collect()
        }
    }
}

/// The elements of one row, slot or the like of `n` elements each.
fn nth(idx: usize, n: usize) -> Vec<Range<usize>> {
    std::iter::once(idx * n..(idx + 1) * n).collect()
}

/// Cells of a cache `[K, PAGE, A]` a page: each row writes one position of its sequence.
fn cells(rows: &Rows<'_>, table: usize, [n_heads, n_head]: [usize; 2]) -> Vec<WrittenRow> {
    let mut all = Vec::with_capacity(rows.ids.len());
    for (first, span) in rows.placed() {
        for i in 0..span.n_rows {
            let position = span.position + i;
            let page = span.tables.get(table).and_then(|pages| pages.get(position / PAGE)).copied();
            let Some(page) = page.map(|page| page as usize) else { continue };
            let cell = |head: usize| ((page * n_heads + head) * PAGE + position % PAGE) * n_head;
            let at = (0..n_heads).map(|head| cell(head)..cell(head) + n_head).collect();
            all.push(WrittenRow { row: first + i, at });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use hala_plan::Cancel;

    use super::*;

    #[test]
    fn a_row_s_cells_are_those_of_its_position_in_each_head() {
        let (cancel, tables) = (Cancel::new(), [vec![4, 1]]);
        let spans = [Span { n_rows: 2, position: 63, slot: 1, tables: &tables }];
        let rows = Rows { ids: &[7, 8], spans: &spans, wanted: &[], cancel: &cancel };
        let found = cells(&rows, 0, [2, 3]);
        let at = |row: usize| found[row].at.clone();
        // Position 63 is the last of page 4, position 64 the first of page 1.
        assert_eq!(at(0), [(8 * 64 + 63) * 3..(8 * 64 + 64) * 3, (9 * 64 + 63) * 3..(9 * 64 + 64) * 3]);
        assert_eq!(at(1), [2 * 64 * 3..(2 * 64 + 1) * 3, 3 * 64 * 3..(3 * 64 + 1) * 3]);
        assert_eq!(found[1].row, 1);
    }
}
