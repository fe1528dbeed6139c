//! The end of a run: how each step ended, what was left to `--long`, and what took the time.

use std::fmt::Write;

use super::output::{Counts, Program};
use crate::times::Times;
use crate::verdict::Verdict;

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
    if let Some(slowest) = times.slowest() {
        let _ = writeln!(text, "  slowest: {slowest}");
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
    use std::time::Duration;

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
    fn what_took_longest_is_told_last() {
        let mut times = Times::default();
        times.note("slow", Duration::from_secs(70));
        assert_eq!(text(&[], &[], &times), "  slowest: slow 70 s\n");
    }
}
