//! The end of a run: how each step ended, what was left to `--long`, and what took the time.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::Verdict;
use super::output::{Counts, Program};

/// How many of the slowest are named.
const N_SLOWEST: usize = 10;

/// What takes less is not worth a word.
const WORTH_TELLING: Duration = Duration::from_secs(1);

/// What took how long.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<(String, Duration)>);

impl Times {
    /// Does some work, and notes how long it takes.
    pub(crate) fn take<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        self.note(name, start.elapsed());
        done
    }

    pub(super) fn note(&mut self, name: &str, time: Duration) {
        self.0.push((name.to_owned(), time));
    }

    /// What took so long, in its order, and all of it together, in a line; nothing where it is not worth a word.
    pub(crate) fn in_order(&self) -> String {
        let worth: Vec<_> = self.0.iter().filter(|(_, time)| *time >= WORTH_TELLING).map(named).collect();
        let all: Duration = self.0.iter().map(|(_, time)| *time).sum();
        if worth.is_empty() {
            String::new()
        } else {
            format!("took {:.0} s: {}\n", all.as_secs_f64(), worth.join("; "))
        }
    }

    /// The slowest, slowest first.
    fn slowest(&self) -> Vec<&(String, Duration)> {
        let mut all: Vec<_> = self.0.iter().filter(|(_, time)| *time >= WORTH_TELLING).collect();
        all.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
        all.truncate(N_SLOWEST);
        all
    }
}

fn named((name, time): &(String, Duration)) -> String {
    format!("{name} {:.0} s", time.as_secs_f64())
}

/// The summary but for its last line.
pub(super) fn text(steps: &[(&str, Verdict)], long: &[(String, usize)], times: &Times) -> String {
    let mut text = String::new();
    for (name, verdict) in steps {
        let _ = match verdict {
            Verdict::Passed(what) => writeln!(text, "  passed   {name}: {what}"),
            Verdict::Failed(what) => writeln!(text, "  FAILED   {name}: {what}"),
            Verdict::Skipped { why, remedy } => {
                writeln!(text, "  SKIPPED  {name}: {why}\n           run: {remedy}")
            }
        };
    }
    let n_long: usize = long.iter().map(|(_, n)| n).sum();
    if n_long > 0 {
        let some = long.iter().filter(|(_, n)| *n > 0);
        let names: Vec<_> = some.map(|(name, n)| format!("{name} {n}")).collect();
        let _ = writeln!(text, "  left to `cargo xtask test --long`: {n_long} ({})", names.join(", "));
    }
    let slowest: Vec<_> = times.slowest().into_iter().map(named).collect();
    if !slowest.is_empty() {
        let _ = writeln!(text, "  slowest: {}", slowest.join("; "));
    }
    text
}

/// Programs with tests that were left to `--long`, and how many.
pub(super) fn long(programs: &[Program]) -> Vec<(String, usize)> {
    let some = programs.iter().filter(|program| program.counts.long > 0);
    some.map(|program| (program.name.clone(), program.counts.long)).collect()
}

/// The last line, which scripts read.
pub(super) fn last_line(counts: Counts) -> String {
    let Counts { passed, failed, skipped, long: _ } = counts;
    format!("{passed} passed, {failed} failed, {skipped} skipped")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_step_says_why_and_what_to_run() {
        let skipped = Verdict::Skipped { why: String::from("no network"), remedy: String::from("do this") };
        let text = text(&[("step", skipped)], &[], &Times::default());
        assert_eq!(text, "  SKIPPED  step: no network\n           run: do this\n");
    }

    #[test]
    fn what_was_left_out_is_named_and_is_no_skip() {
        let counts = Counts { passed: 5, long: 3, ..Counts::default() };
        let long = long(&[
            Program { name: String::from("ops"), counts, ..Program::default() },
            Program { name: String::from("cli"), ..Program::default() },
        ]);
        let text = text(&[], &long, &Times::default());
        assert_eq!(text, "  left to `cargo xtask test --long`: 3 (ops 3)\n");
        assert_eq!(last_line(counts), "5 passed, 0 failed, 0 skipped");
    }

    #[test]
    fn parts_are_told_in_their_order_with_their_sum() {
        let mut times = Times::default();
        assert_eq!(times.in_order(), "");
        for (name, seconds) in [("one", 3.0), ("quick", 0.6), ("two", 70.0)] {
            times.note(name, Duration::from_secs_f64(seconds));
        }
        assert_eq!(times.in_order(), "took 74 s: one 3 s; two 70 s\n");
    }

    #[test]
    fn the_slowest_come_first_and_the_quick_are_not_named() {
        let mut times = Times::default();
        for (name, seconds) in [("quick", 0.1), ("slow", 3.6), ("slower", 70.0)] {
            times.note(name, Duration::from_secs_f64(seconds));
        }
        assert_eq!(text(&[], &[], &times), "  slowest: slower 70 s; slow 4 s\n");
        assert_eq!(times.take("work", || 7), 7);
    }
}
