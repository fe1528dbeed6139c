//! How many workgroups a dispatch has, by what a run is given.

use hala_plan::{Axis, Rows, Span};

/// Workgroups along y and z: kernels find their rows along y, and their part of a long cache along z.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tokens {
    /// One for each so many rows.
    Each(u32),
    /// One where there are more rows than so many.
    Past(u32),
    /// One for each span.
    Spans,
    /// One for each so many rows of a span, of which a token has `n_sharing`.
    Tiles {
        /// Rows of a tile.
        n_rows: u32,
        n_sharing: u32,
    },
    /// One for each row, where none sees more than so many positions.
    Short(u32),
    /// One for each row, and along z for each so many positions, where some row sees more than `n_short`.
    Parts {
        /// Positions of a part.
        n_positions: u32,
        n_short: u32,
    },
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
        let any_if = |is_needed: bool| if is_needed { n } else { 0 };
        let n_along_y = match self {
            Self::Each(n_rows) => n.div_ceil(n_rows),
            Self::Past(n_rows) => u32::from(n > n_rows),
            Self::Spans => run.spans.len() as u32,
            Self::Tiles { n_rows, n_sharing } => {
                run.spans.iter().map(|span| (span.n_rows as u32 * n_sharing).div_ceil(n_rows)).sum()
            }
            Self::Short(few) => any_if(n_seen <= few),
            Self::Parts { n_short, .. } | Self::Long(n_short) => any_if(n_seen > n_short),
        };
        let n_along_z = match self {
            Self::Parts { n_positions, .. } => n_seen.div_ceil(n_positions),
            _ => 1,
        };
        [n_along_y, n_along_z]
    }
}
