//! What cargo and the test programs print, read into how each test program ended.

use std::time::Duration;

use crate::extent::LONG;

/// Tests by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
    /// Left to `--long`, which is no skip: nothing is missing.
    pub(super) long: usize,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.passed += more.passed;
        self.failed += more.failed;
        self.skipped += more.skipped;
        self.long += more.long;
    }
}

/// A test program, or the examples in a crate's documentation.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) counts: Counts,
    pub(super) time: Duration,
    /// Names of tests that failed.
    pub(super) failed: Vec<String>,
    /// Whether it came to its end, and said so.
    pub(super) ended: bool,
}

/// The test programs in what `cargo test` prints, both of its outputs in the order in which they came.
pub(super) fn programs(output: &str) -> Vec<Program> {
    let mut programs: Vec<Program> = Vec::new();
    // Ignored as long since the last result.
    let mut n_long = 0;
    for line in output.lines() {
        if let Some(name) = started(line) {
            programs.push(Program { name, ..Program::default() });
            n_long = 0;
        }
        let Some(program) = programs.last_mut() else { continue };
        if let Some(test) = ended_as(line, "FAILED") {
            program.failed.push(test.to_owned());
        } else if line.starts_with("test ") && line.contains(&format!(" ... ignored, {LONG}")) {
            n_long += 1;
        } else if let Some((mut counts, time)) = result(line) {
            counts.long = n_long.min(counts.skipped);
            counts.skipped -= counts.long;
            n_long = 0;
            program.counts += counts;
            program.time += time;
            program.ended = true;
        }
    }
    programs
}

/// The test program that cargo says it starts: `Running tests/ops/main.rs (target/debug/deps/ops-0123456789abcdef)`, or
/// `Doc-tests hala_tensor`.
fn started(line: &str) -> Option<String> {
    let line = line.trim_start();
    if let Some(name) = line.strip_prefix("Doc-tests ") {
        return Some(format!("{}, documentation", name.trim()));
    }
    let (source, program) = line.strip_prefix("Running ")?.strip_suffix(')')?.rsplit_once(" (")?;
    let file = program.rsplit(['/', '\\']).next()?;
    let (name, hash) = file.strip_suffix(".exe").unwrap_or(file).rsplit_once('-')?;
    let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    let name = if source.starts_with("unittests ") { format!("{name}, units") } else { name.to_owned() };
    is_hash.then_some(name)
}

/// `test result: ok. 12 passed; 0 failed; 3 ignored; …; finished in 0.20s`, which only the test runner prints.
fn result(line: &str) -> Option<(Counts, Duration)> {
    let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let (mut counts, mut time) = (Counts::default(), Duration::ZERO);
    for part in numbers.split(';').map(str::trim) {
        if let Some(seconds) = part.strip_prefix("finished in ").and_then(|text| text.strip_suffix('s')) {
            time = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
            continue;
        }
        let (number, word) = part.split_once(' ')?;
        let number = number.parse().ok()?;
        match word {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "ignored" => counts.skipped = number,
            _ => {}
        }
    }
    Some((counts, time))
}

/// The name of a test that ended so.
fn ended_as<'a>(line: &'a str, how: &str) -> Option<&'a str> {
    line.strip_prefix("test ")?.strip_suffix(how)?.strip_suffix(" ... ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
    Finished `test` profile [optimized + debuginfo] target(s) in 0.20s
     Running unittests src/lib.rs (target/debug/deps/hala_tensor-0123456789abcdef)

running 5 tests
test dtype::sizes ... ok
test shape::tails ... FAILED
test shape::all_tails ... ignored, long: every tail of every shape
test dtype::slow ... ignored
test dtype::other ... ignored, it needs a printer

test result: FAILED. 1 passed; 1 failed; 3 ignored; 0 measured; 2 filtered out; finished in 1.01s

     Running tests/ops/main.rs (target/debug/deps/ops-fedcba9876543210)
test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 200.25s
   Doc-tests hala_tensor
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.30s
";

    #[test]
    fn programs_are_told_apart_with_their_tests_and_times() {
        let found = programs(OUTPUT);
        let names: Vec<_> = found.iter().map(|program| program.name.as_str()).collect();
        assert_eq!(names, ["hala_tensor, units", "ops", "hala_tensor, documentation"]);
        assert_eq!(found[0].counts, Counts { passed: 1, failed: 1, skipped: 2, long: 1 });
        assert_eq!(found[0].failed, ["shape::tails"]);
        assert_eq!(found[1].time, Duration::from_millis(200_250));
        // Documentation may be tested in two goes.
        assert_eq!((found[2].counts.passed, found[2].time), (3, Duration::from_millis(500)));
        assert!(found.iter().all(|program| program.ended));
    }

    #[test]
    fn a_program_that_dies_leaves_no_result() {
        let dead = "     Running tests/ops/main.rs (target/debug/deps/ops-fedcba9876543210)\nrunning 3 tests\n\
            test a ... ignored, long: all\n     Running tests/cli/main.rs (target/debug/deps/cli-fedcba9876543210)\n\
            test result: ok. 4 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s\n";
        let found = programs(dead);
        assert_eq!(found.iter().map(|program| program.ended).collect::<Vec<_>>(), [false, true]);
        assert_eq!(found[1].counts, Counts { passed: 4, skipped: 1, ..Counts::default() });
    }

    #[test]
    fn text_that_only_looks_like_a_result_or_a_start_is_not_taken_for_one() {
        assert_eq!(result("note: test result: ok. 1 passed; 0 failed"), None);
        assert_eq!(result("test result: ok. many passed"), None);
        assert_eq!(started("Running late (as always)"), None);
        assert_eq!(started("Running `target/debug/hala-xtask test`"), None);
        assert_eq!(
            started(r"  Running tests\a.rs (target\debug\deps\a-0123456789abcdef.exe)").as_deref(),
            Some("a")
        );
    }
}
