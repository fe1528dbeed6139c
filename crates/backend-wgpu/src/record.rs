//! The words of a run's inputs: where `shaders/shared/run.wgsl` says that kernels find them.

use hala_plan::PAGE;

/// A constant of `run.wgsl`, which this kernel has with all others.
const fn number(name: &str) -> usize {
    hala_shaders::constant("sample", name) as usize
}

/// Words before the records.
pub(crate) const HEADER: usize = number("RUN_HEADER");

/// Words of a record.
pub(crate) const RECORD: usize = number("RUN_RECORD");

/// Of a record: the position of its row.
pub(crate) const POSITION: usize = number("RUN_POSITION");

/// The span that its row is of.
pub(crate) const SPAN_OF: usize = number("RUN_SPAN_OF");

/// A row whose logits are wanted.
pub(crate) const WANTED: usize = number("RUN_WANTED");

/// First row, rows, position and slot of a span.
pub(crate) const SPAN: usize = number("RUN_SPAN");

/// How its row's token is chosen: a `Turn`.
pub(crate) const TURN: usize = number("RUN_TURN");

const _: () = assert!(number("PAGE") == PAGE, "kernels and Plans must agree on the positions of a page");

#[cfg(test)]
mod tests {
    use hala_plan::ops::sample::Turn;

    use super::*;

    #[test]
    fn what_a_record_tells_of_does_not_overlap() {
        let words = [(POSITION, 1), (SPAN_OF, 1), (WANTED, 1), (SPAN, 4), (TURN, size_of::<Turn>() / 4)];
        let mut ends = words.map(|(first, n)| first..first + n);
        ends.sort_by_key(|words| words.start);
        assert!(ends.windows(2).all(|pair| pair[0].end <= pair[1].start), "{ends:?}");
        assert!(ends.iter().all(|words| words.end <= RECORD), "{ends:?}");
    }
}
