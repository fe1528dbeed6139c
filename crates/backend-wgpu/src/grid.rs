//! How many workgroups a dispatch has, by what a run is given.

use hala_plan::{Axis, Rows, Span};

use crate::spread::{SPLIT, TILE_ROWS};

/// Workgroups along y and z: kernels find their rows along y, and their part of a long cache along z.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tokens {
    /// One.
    One,
    /// One for each so many rows.
    Each(u32),
    /// One where there are more rows than so many.
    Past(u32),
    /// One for each span.
    Spans,
    /// One for each [`TILE_ROWS`] rows of a span, of which a token has so many.
    Tiles(u32),
    /// One for each row, where none sees more than so many positions.
    Short(u32),
    /// One for each row, and along z for each [`SPLIT`] positions, where some row sees more than so many.
    Parts(u32),
    /// One for each row, where some row sees more than so many.
    Long(u32),
}

/// What of a run decides how many workgroups it needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent<'a> {
    n_rows: u32,
    n_wanted: u32,
    spans: &'a [Span<'a>],
    /// The most positions that a row sees, if it has no window.
    n_seen: u32,
}

impl<'a> Extent<'a> {
    pub(crate) fn of(rows: &Rows<'a>) -> Self {
        Self {
            n_rows: rows.ids.len() as u32,
            n_wanted: rows.wanted.len() as u32,
            spans: rows.spans,
            n_seen: rows.spans.iter().map(Span::end).max().unwrap_or(0) as u32,
        }
    }

    fn along(self, axis: Axis) -> u32 {
        if axis == Axis::Wanted { self.n_wanted } else { self.n_rows }
    }
}

impl Tokens {
    /// Workgroups along y and z for a run, whose rows are those of `axis`.
    pub(crate) fn count(self, run: Extent<'_>, axis: Axis) -> [u32; 2] {
        let (n, n_seen) = (run.along(axis), run.n_seen);
        let tiles = |n_rows: u32| {
            run.spans.iter().map(|span| (span.n_rows as u32 * n_rows).div_ceil(TILE_ROWS)).sum()
        };
        let n_along_y = match self {
            Self::One => u32::from(n > 0),
            Self::Each(n_rows) => n.div_ceil(n_rows),
            Self::Past(n_rows) => u32::from(n > n_rows),
            Self::Spans => run.spans.len() as u32,
            Self::Tiles(n_rows) => tiles(n_rows),
            Self::Short(few) => {
                if n_seen <= few {
                    n
                } else {
                    0
                }
            }
            Self::Parts(few) | Self::Long(few) => {
                if n_seen > few {
                    n
                } else {
                    0
                }
            }
        };
        [n_along_y, if matches!(self, Self::Parts(_)) { n_seen.div_ceil(SPLIT) } else { 1 }]
    }
}
