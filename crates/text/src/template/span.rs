//! Runs of numbers: what `range` gives.

/// `range(start, stop, step)`; the step is never 0.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: i128,
    pub(crate) stop: i128,
    pub(crate) step: i128,
}

impl Span {
    /// How many numbers there are.
    pub(crate) fn len(self) -> usize {
        let (from, to, step) = if self.step > 0 {
            (self.start, self.stop, self.step)
        } else {
            (self.stop, self.start, -self.step)
        };
        if from >= to { 0 } else { usize::try_from((to - from - 1) / step + 1).unwrap_or(usize::MAX) }
    }

    /// The number at a place below the length.
    pub(crate) fn at(self, i: usize) -> i128 {
        self.start + self.step * i as i128
    }

    /// All numbers.
    pub(crate) fn numbers(self) -> impl Iterator<Item = i128> {
        (0..self.len()).map(move |i| self.at(i))
    }
}
