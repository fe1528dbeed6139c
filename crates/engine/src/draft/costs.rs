//! What a run takes by its number of rows, as measured.

use std::time::Duration;

/// Rows of a run with drafts at most: beside the weights, which are read anyway, so many cost little on every CPU that was measured.
pub(crate) const MOST_ROWS: usize = 16;

/// The last samples of each number of rows: the least of them counts, since a busy machine only ever adds.
const N_SAMPLES: usize = 3;

/// Runs after which a sample is forgotten: contexts grow, and one slow moment is no verdict for ever.
const FORGOTTEN_AFTER: usize = 256;

/// What each more row is taken to add before any was measured, as a share of a run of the fewest.
const ROW: f64 = 0.125;

/// Seconds of runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Costs {
    /// The samples of runs of 1, 2, … rows, the latest last, each with the count of runs when it was taken.
    samples: [Vec<(usize, f64)>; MOST_ROWS],
    n_runs: usize,
}

impl Costs {
    /// Notes how long a run of `n_rows` took.
    pub(crate) fn note(&mut self, n_rows: usize, time: Duration) {
        self.n_runs += 1;
        let Some(samples) = n_rows.checked_sub(1).and_then(|i| self.samples.get_mut(i)) else { return };
        if samples.len() == N_SAMPLES {
            samples.remove(0);
        }
        samples.push((self.n_runs, time.as_secs_f64()));
    }

    /// Seconds of a run of `n_rows` as measured.
    pub(crate) fn measured(&self, n_rows: usize) -> Option<f64> {
        let samples = self.samples.get(n_rows.checked_sub(1)?)?;
        let recent = samples.iter().filter(|(run, _)| self.n_runs - run < FORGOTTEN_AFTER);
        recent.map(|(_, seconds)| *seconds).min_by(f64::total_cmp)
    }

    /// Seconds of a run of `n_rows`: measured, between its neighbours, or beyond the largest that was measured as the last rows grew. `None`
    /// where there is nothing to go by, and beyond twice the largest: what is far from all that is known is come to by steps.
    pub(crate) fn of(&self, n_rows: usize) -> Option<f64> {
        if let Some(seconds) = self.measured(n_rows) {
            return Some(seconds);
        }
        let known = |n: usize| self.measured(n).map(|seconds| (n as f64, seconds));
        let mut below = (1..n_rows.min(MOST_ROWS + 1)).rev().filter_map(known);
        let above = (n_rows + 1..=MOST_ROWS).find_map(known);
        let (n, seconds) = below.next()?;
        let row = match (above, below.next()) {
            (Some((above, more)), _) => (more - seconds) / (above - n),
            (None, _) if n_rows as f64 > 2.0 * n => return None,
            (None, Some((fewer, less))) => ((seconds - less) / (n - fewer)).max(0.0),
            (None, None) => ROW * seconds,
        };
        Some(seconds + row * (n_rows as f64 - n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(runs: &[(usize, u64)]) -> Costs {
        let mut costs = Costs::default();
        runs.iter().for_each(|(n, ms)| costs.note(*n, Duration::from_millis(*ms)));
        costs
    }

    fn ms(costs: &Costs, n_rows: usize) -> Option<f64> {
        costs.of(n_rows).map(|seconds| (seconds * 1e6).round() / 1e3)
    }

    #[test]
    fn the_least_of_the_last_three_counts() {
        assert_eq!(ms(&of(&[(1, 5), (1, 9), (1, 7), (1, 8)]), 1), Some(7.0));
    }

    #[test]
    fn what_was_not_measured_lies_between_and_is_come_to_by_steps() {
        assert_eq!(ms(&of(&[]), 1), None);
        assert_eq!(ms(&of(&[(4, 9)]), 1), None);
        let costs = of(&[(1, 8)]);
        assert_eq!([2, 3].map(|n| ms(&costs, n)), [Some(9.0), None]);
        let costs = of(&[(1, 8), (4, 14)]);
        assert_eq!(
            [2, 3, 4, 8, 9].map(|n| ms(&costs, n)),
            [Some(10.0), Some(12.0), Some(14.0), Some(22.0), None]
        );
        assert_eq!(ms(&of(&[(MOST_ROWS, 8), (99, 1)]), 99), None);
    }

    #[test]
    fn what_was_measured_long_ago_is_forgotten() {
        let mut costs = of(&[(2, 100)]);
        (0..FORGOTTEN_AFTER).for_each(|_| costs.note(1, Duration::from_millis(8)));
        assert_eq!(ms(&costs, 2), Some(9.0));
    }
}
