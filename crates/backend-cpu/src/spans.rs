//! Who works on what: each thread has a span of the whole, and helps with those of others when its own is done.

use std::array;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Spans at most; where there are more threads, several begin in one.
const MAX_SPANS: usize = 16;

/// A counter with a cache line of its own, so that threads do not wait for each other's.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Counter(AtomicUsize);

/// `0..n` in spans, one a thread, of which pieces are taken from the front.
///
/// Memory is read fastest where a thread goes on where it was: with the pieces of all threads mixed, two threads decoded 14 % slower.
#[derive(Debug)]
pub(crate) struct Spans {
    /// How much of each span is taken, as the index of what comes next.
    next: [Counter; MAX_SPANS],
    n: usize,
    n_spans: usize,
    piece: usize,
}

impl Spans {
    /// Spans for `n_threads`, whose pieces have at most `piece` of the whole.
    pub(crate) fn new(n: usize, n_threads: usize, piece: usize) -> Self {
        let n_spans = n_threads.clamp(1, MAX_SPANS);
        let start = |i: usize| Counter(AtomicUsize::new(start_of(n, n_spans, i.min(n_spans))));
        Self { next: array::from_fn(start), n, n_spans, piece }
    }

    /// The next piece for a thread, of its own span or else of the next one that has some left; smaller ones towards the end of a
    /// span, so that all threads end at about the same time.
    pub(crate) fn take(&self, thread_idx: usize) -> Option<Range<usize>> {
        (0..self.n_spans).find_map(|i| self.take_of((thread_idx + i) % self.n_spans))
    }

    fn take_of(&self, span: usize) -> Option<Range<usize>> {
        let end = start_of(self.n, self.n_spans, span + 1);
        let after = |start: usize| start + ((end - start) / 2).clamp(1, self.piece);
        let take = |start: usize| (start < end).then(|| after(start));
        let taken = self.next[span].0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.ok().map(|start| start..after(start))
    }
}

/// Where a span begins.
fn start_of(n: usize, n_spans: usize, span: usize) -> usize {
    n / n_spans * span + (n % n_spans).min(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_taken_once_whoever_takes_it() {
        for n_threads in [1, 2, 5, 16, 40] {
            for (n, piece) in [(0, 1), (1, 4), (31, 4), (1025, 7)] {
                let spans = Spans::new(n, n_threads, piece);
                let mut all = Vec::new();
                for turn in 0.. {
                    let Some(range) = spans.take(turn * 7 % n_threads) else { break };
                    assert!(range.len() <= piece);
                    all.extend(range);
                }
                all.sort_unstable();
                assert_eq!(all, (0..n).collect::<Vec<_>>(), "{n_threads} threads");
            }
        }
    }

    #[test]
    fn a_thread_goes_on_where_it_was() {
        let spans = Spans::new(100, 2, 8);
        for thread_idx in [0, 1] {
            let first = spans.take(thread_idx).unwrap();
            assert_eq!(first, thread_idx * 50..thread_idx * 50 + 8);
        }
        assert_eq!(spans.take(0), Some(8..16));
    }

    #[test]
    fn a_thread_that_is_done_helps_the_others() {
        let spans = Spans::new(10, 2, 5);
        let own: usize =
            std::iter::from_fn(|| spans.take(1).filter(|piece| piece.start >= 5)).map(|r| r.len()).sum();
        assert_eq!(own, 5);
        assert!(spans.take(1).is_some());
    }
}
