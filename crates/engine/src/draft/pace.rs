//! How many drafts a run takes: as many as pay by what runs were measured to take, and no more than may be lost.

use std::time::Duration;

use crate::draft::costs::{Costs, MOST_ROWS};

/// What each run without drafts adds to what may be lost with them, in runs: so that no text takes longer by more than this share.
const EARNED: f64 = 0.02;

/// What may be lost at first, in runs: enough for the first tries, and soon used up where a text only seems to repeat.
const CREDIT: f64 = 1.0;

/// What is laid by at most, and what is owed at most where a run took longer than was to be expected.
const MOST_CREDIT: f64 = 2.0;
const MOST_DEBT: f64 = 4.0;

/// Decides on drafts by the time that runs took. It never looks at a clock itself.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    costs: Costs,
    /// Runs of one row a text that may be lost on drafts.
    credit: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { costs: Costs::default(), credit: CREDIT }
    }
}

/// A run before drafts are added.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Base {
    /// Texts that each get a token.
    pub(crate) n_texts: usize,
    /// Rows: a text's next token, and those that must be computed again since drafts were refused.
    pub(crate) n_rows: usize,
}

/// A run that was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub(crate) base: Base,
    pub(crate) n_drafts: usize,
    pub(crate) n_accepted: usize,
    pub(crate) time: Duration,
}

impl Pace {
    /// Drafts of each text in the next run: those that pay, where that is to be measured, or else as many as a run takes. `chances` are those
    /// of the first, the first two, … of a text's drafts to be right.
    pub(crate) fn drafts(&self, base: Base, chances: &[Vec<f32>], is_measured: bool) -> Vec<usize> {
        let mut all = in_order(base, chances);
        if is_measured {
            all.truncate(self.n_paying(base, &all));
        }
        let mut counts = vec![0; chances.len()];
        all.iter().for_each(|(text, _)| counts[*text] += 1);
        counts
    }

    /// Notes what came of a run.
    pub(crate) fn note(&mut self, run: Done) {
        let Done { base: Base { n_texts, n_rows }, n_drafts, n_accepted, time } = run;
        self.costs.note(n_rows + n_drafts, time);
        let is_plain = n_rows + n_drafts == n_texts;
        let mut gained = if is_plain { EARNED } else { 0.0 };
        if let (false, Some(took), Some(plain)) =
            (is_plain, self.costs.of(n_rows + n_drafts), self.costs.of(n_texts))
        {
            let n_runs = (n_texts + n_accepted) as f64 / n_texts.max(1) as f64;
            gained += n_runs - took / plain;
        }
        self.credit = (self.credit + gained).clamp(-MOST_DEBT, MOST_CREDIT);
    }

    /// How many of the drafts, the likeliest first, give the most tokens a second without risking more than may be lost.
    fn n_paying(&self, base: Base, drafts: &[(usize, f32)]) -> usize {
        // Without a run as it was without drafts there is nothing to compare with.
        let Some(plain) = self.costs.measured(base.n_texts) else { return 0 };
        let Some(without) = self.costs.of(base.n_rows) else { return 0 };
        let mut n_tokens = base.n_texts as f64;
        let (mut best, mut speed) = (0, n_tokens / without);
        for (n, (_, chance)) in (1..).zip(drafts) {
            n_tokens += f64::from(*chance);
            let Some(with) = self.costs.of(base.n_rows + n) else { break };
            if with - without <= self.credit * plain && n_tokens / with > speed {
                (best, speed) = (n, n_tokens / with);
            }
        }
        best
    }
}

/// The drafts that a run has room for as (text, chance), the likeliest first; of equal chances those of all texts in turn.
fn in_order(base: Base, chances: &[Vec<f32>]) -> Vec<(usize, f32)> {
    let of_text = |(text, chances): (usize, &Vec<f32>)| {
        chances.iter().enumerate().map(|(i, chance)| (text, i, *chance)).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = chances.iter().enumerate().flat_map(of_text).collect();
    all.sort_by(|(_, i, a), (_, j, b)| b.total_cmp(a).then(i.cmp(j)));
    all.truncate(MOST_ROWS.saturating_sub(base.n_rows));
    all.into_iter().map(|(text, _, chance)| (text, chance)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::acceptance::Acceptance;

    const ALONE: Base = Base { n_texts: 1, n_rows: 1 };

    /// Seconds of a run of `n` rows, of which each more adds `row` of the first.
    fn run(n: usize, row: f64) -> f64 {
        1.0 + row * (n as f64 - 1.0)
    }

    /// Seconds for `n_tokens` tokens of a text that always seems to repeat, with `right` of four drafts right in a row; and of the same without drafts.
    fn simulate(n_tokens: usize, row: f64, right: impl Fn(usize) -> bool) -> [f64; 2] {
        let (mut pace, mut acceptance) = (Pace::default(), Acceptance::default());
        let (mut seconds, mut token, mut n_carried) = (0.0, 0, 0);
        while token < n_tokens {
            let base = Base { n_texts: 1, n_rows: 1 + n_carried };
            let n_drafts = pace.drafts(base, &[acceptance.chances(2, MOST_ROWS)], true)[0];
            let n_accepted = (0..n_drafts).take_while(|i| right(token + i)).count();
            let took = run(base.n_rows + n_drafts, row);
            seconds += took;
            pace.note(Done { base, n_drafts, n_accepted, time: Duration::from_secs_f64(took) });
            (token..=token + n_accepted).for_each(|token| acceptance.note(2, right(token)));
            n_carried = if n_accepted < n_drafts { base.n_rows + n_accepted } else { 0 };
            token += 1 + n_accepted;
        }
        [seconds, token as f64]
    }

    #[test]
    fn a_text_that_only_seems_to_repeat_loses_next_to_nothing() {
        for row in [0.01, 0.05, 0.2, 1.0] {
            let [with, without] = simulate(600, row, |_| false);
            assert!(with < 1.02 * without, "{row}: {with} for {without}");
            // It repeats for a while, and then no more.
            let [with, without] = simulate(1200, row, |token| token < 200);
            assert!(with < 1.02 * without, "{row}: {with} for {without}");
        }
    }

    #[test]
    fn one_right_draft_in_so_many_loses_nothing_whatever_rows_cost() {
        for row in [0.01, 0.05, 0.2, 1.0] {
            for every in [2, 3, 5, 9, 20] {
                let [with, without] = simulate(600, row, |token| token % every == 0);
                assert!(with < 1.03 * without, "{row}, {every}: {with} for {without}");
            }
        }
    }

    #[test]
    fn a_text_that_repeats_gains_where_rows_cost_little() {
        for (row, gain) in [(0.02, 4.5), (0.05, 3.5), (0.1, 2.5), (0.3, 1.3)] {
            let [with, without] = simulate(300, row, |token| token % 30 != 0);
            assert!(gain * with < without, "{row}: {with} for {without}");
        }
        let [with, without] = simulate(300, 1.0, |_| true);
        assert!(with < 1.02 * without);
    }

    #[test]
    fn nothing_is_drafted_before_a_run_without_drafts_was_measured() {
        let mut pace = Pace::default();
        assert_eq!(pace.drafts(ALONE, &[vec![1.0; 8]], true), [0]);
        pace.note(Done { base: ALONE, n_drafts: 0, n_accepted: 0, time: Duration::from_millis(8) });
        assert_eq!(pace.drafts(ALONE, &[vec![1.0; 8]], true), [1]);
        assert_eq!(pace.drafts(ALONE, &[vec![0.01; 8]], true), [0]);
        assert_eq!(pace.drafts(Base { n_texts: 8, n_rows: 8 }, &vec![vec![1.0; 8]; 8], true), [0; 8]);
    }

    #[test]
    fn the_rows_of_a_run_go_to_the_likeliest_drafts_of_all_texts() {
        let base = Base { n_texts: 3, n_rows: 3 };
        let chances = [vec![0.9, 0.8, 0.7], vec![], vec![0.5; 20]];
        assert_eq!(Pace::default().drafts(base, &chances, false), [3, 0, 10]);
        assert_eq!(
            Pace::default().drafts(base, &[vec![1.0; 20], vec![1.0; 20], vec![1.0; 2]], false),
            [6, 5, 2]
        );
        assert_eq!(Pace::default().drafts(Base { n_texts: 20, n_rows: 20 }, &chances, false), [0; 3]);
    }
}
