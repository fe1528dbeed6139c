//! `cargo xtask test`: set-up, every test of the workspace, the wasm32 check, the package in a browser, and a summary.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use crate::Outcome;
use crate::args::{self, Task, Usage};
use crate::process;
use crate::project::{self, Project};
use crate::setup::{self, Install, Need, State, Way};
use crate::{kernels, wasm, web};

pub(crate) const TASK: Task = Task {
    name: "test",
    about: "set up, then run all tests of the workspace",
    help: "\
Runs all tests of the workspace, documentation examples included, then checks that the crates which the
browser needs compile for wasm32, tests the CPU kernels in WebAssembly, and builds the package for browsers and tests it in Chromium. What
the tests need and this machine lacks is installed first, where that is possible; what cannot be had is named, and its tests are skipped.
The last line of the output is `N passed, N failed, N skipped`.

Usage: cargo xtask test [--only NAME] [--no-install] [FILTER] [-- ARGS]

  --only NAME    only the tests of one crate, by its folder (tensor, tests) or package (hala-tensor)
  --no-install   install nothing
  FILTER         only tests whose names contain this text
  ARGS           for the test programs, for example `-- --nocapture`

With --only, FILTER or ARGS the wasm32 check, the kernels and the package are left out.
",
    run,
};

/// How one step of the whole run ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    Passed(String),
    Failed(String),
    Skipped { why: String, remedy: String },
}

/// Tests by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

#[derive(Debug, Default)]
struct Options {
    only: Option<String>,
    no_install: bool,
    /// Passed on to `cargo test`, with the `--`.
    rest: Vec<String>,
}

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    let options = parse(words)?;
    let install = if options.no_install { Install::Forbidden } else { Install::Allowed };
    let started = Instant::now();

    let mut steps: Vec<(&str, Verdict)> = unmet_needs(install);
    let (tests, mut counts) = cargo_test(project, &options);
    steps.push(("tests", tests));
    let restricted = options.only.is_some() || !options.rest.is_empty();
    if !restricted {
        let mut step = |name, verdict: Result<Verdict>| {
            steps.push((name, verdict.unwrap_or_else(|error| Verdict::Failed(format!("{error:#}")))));
        };
        step(setup::WASM.skipped, wasm::verdict(project, &wasm::browser_packages(project), install));
        step(kernels::TESTED, kernels::verdict(project, install));
        step(web::TESTED, web::verdict(project, install));
    }

    println!("\nSummary, after {} s", started.elapsed().as_secs());
    for (name, verdict) in &steps {
        println!("{}", line(name, verdict));
        // The tests are already counted one by one.
        if *name != "tests" {
            counts.add(verdict);
        }
    }
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    Ok(if counts.failed == 0 { Outcome::Good } else { Outcome::Bad })
}

fn parse(words: &[String]) -> Result<Options, Usage> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--only" => options.only = Some(project::package_name(&args::value(&mut words, word)?)),
            "--no-install" => options.no_install = true,
            "--" => {
                options.rest.push(word.clone());
                options.rest.extend(words.by_ref().cloned());
            }
            _ if word.starts_with('-') => return Err(Usage::unknown("test", word)),
            _ => options.rest.push(word.clone()),
        }
    }
    Ok(options)
}

impl Verdict {
    /// Prints it, for a task that is one step.
    pub(crate) fn report(self) -> Outcome {
        match self {
            Verdict::Passed(what) => {
                println!("passed: {what}");
                Outcome::Good
            }
            Verdict::Failed(what) => {
                println!("failed: {what}");
                Outcome::Bad
            }
            Verdict::Skipped { why, remedy } => {
                println!("skipped: {why}\n  run: {remedy}");
                Outcome::Bad
            }
        }
    }
}

/// The way in which a need is met, found or installed; a verdict that says what is missing where there is none.
pub(crate) fn ready(need: &Need, install: Install) -> Result<&'static Way, Verdict> {
    match setup::ensure(need, install) {
        State::Ready(way) => Ok(way),
        State::Missing { why, remedy } => {
            let why = format!("{} is missing, needed {}: {why}", need.name, need.why);
            Err(Verdict::Skipped { why, remedy })
        }
    }
}

/// Looks at what `cargo test` needs; each missing thing skips its tests.
fn unmet_needs(install: Install) -> Vec<(&'static str, Verdict)> {
    let mut unmet = Vec::new();
    for need in setup::TESTS {
        if let Err(skipped) = ready(need, install) {
            unmet.push((need.skipped, skipped));
        }
    }
    unmet
}

/// One cargo call for everything, so that nothing is built twice; all tests run even when some fail.
fn cargo_test(project: &Project, options: &Options) -> (Verdict, Counts) {
    let mut command = project.cargo();
    command.args(["test", "--no-fail-fast"]);
    match &options.only {
        Some(package) => command.args(["--package", package]),
        None => command.arg("--workspace"),
    };
    command.args(&options.rest);
    if Path::new(setup::SWIFTSHADER).is_file() {
        // Beside the drivers that the system has.
        command.env("VK_ADD_DRIVER_FILES", setup::SWIFTSHADER);
    }
    let failed_alone = Counts { failed: 1, ..Counts::default() };
    match process::tee_stdout(&mut command) {
        Ok(done) => judge(&done.output, done.success),
        Err(error) => (Verdict::Failed(format!("{error:#}")), failed_alone),
    }
}

fn judge(output: &str, success: bool) -> (Verdict, Counts) {
    let mut counts = Counts::default();
    for line in output.lines() {
        if let Some(more) = result_line(line) {
            counts.passed += more.passed;
            counts.failed += more.failed;
            counts.skipped += more.skipped;
        }
    }
    if counts.failed > 0 {
        let names: Vec<_> = output.lines().filter_map(failed_test).collect();
        return (Verdict::Failed(names.join(", ")), counts);
    }
    if !success {
        counts.failed = 1;
        let why = "a build failed or a test program died; see above";
        return (Verdict::Failed(String::from(why)), counts);
    }
    (Verdict::Passed(format!("{} passed, {} ignored", counts.passed, counts.skipped)), counts)
}

/// `test result: ok. 12 passed; 0 failed; 3 ignored; …`, which only the test runner prints.
fn result_line(line: &str) -> Option<Counts> {
    let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = Counts::default();
    for part in numbers.split(';') {
        let (number, word) = part.trim().split_once(' ')?;
        match word {
            "passed" => counts.passed = number.parse().ok()?,
            "failed" => counts.failed = number.parse().ok()?,
            "ignored" => counts.skipped = number.parse().ok()?,
            _ => break,
        }
    }
    Some(counts)
}

fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

fn line(name: &str, verdict: &Verdict) -> String {
    match verdict {
        Verdict::Passed(what) => format!("  passed   {name}: {what}"),
        Verdict::Failed(what) => format!("  FAILED   {name}: {what}"),
        Verdict::Skipped { why, remedy } => format!("  SKIPPED  {name}: {why}\n           run: {remedy}"),
    }
}

impl Counts {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed(_) => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Skipped { .. } => self.skipped += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
test dtype::sizes ... ok
test shape::tails ... FAILED
test result: FAILED. 12 passed; 1 failed; 3 ignored; 0 measured; 2 filtered out; finished in 0.01s
   Doc-tests hala_tensor
test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.20s
";

    #[test]
    fn result_lines_are_summed_over_test_programs() {
        let (verdict, counts) = judge(OUTPUT, false);
        assert_eq!(counts, Counts { passed: 16, failed: 1, skipped: 3 });
        assert!(matches!(verdict, Verdict::Failed(names) if names == "shape::tails"));
    }

    #[test]
    fn a_build_error_counts_as_one_failure() {
        let (verdict, counts) = judge("", false);
        assert_eq!(counts, Counts { passed: 0, failed: 1, skipped: 0 });
        assert!(matches!(verdict, Verdict::Failed(why) if why.contains("build")));
    }

    #[test]
    fn a_crash_after_good_results_is_a_failure() {
        let (_, counts) = judge("test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured", false);
        assert_eq!(counts, Counts { passed: 4, failed: 1, skipped: 0 });
    }

    #[test]
    fn text_that_only_looks_like_a_result_is_not_counted() {
        assert_eq!(result_line("note: test result: ok. 1 passed; 0 failed"), None);
        assert_eq!(result_line("test result: ok. many passed"), None);
    }

    #[test]
    fn words_are_split_between_xtask_and_cargo() {
        let words = ["--only", "tensor", "tails", "--", "--nocapture", "--only"].map(String::from);
        let options = parse(&words).unwrap();
        assert_eq!(options.only.as_deref(), Some("hala-tensor"));
        assert_eq!(options.rest, ["tails", "--", "--nocapture", "--only"]);
    }

    #[test]
    fn an_unknown_option_is_refused() {
        assert!(parse(&[String::from("--release")]).unwrap_err().to_string().contains("--release"));
    }

    #[test]
    fn a_skipped_step_says_why_and_what_to_run() {
        let skipped = Verdict::Skipped { why: String::from("no network"), remedy: String::from("do this") };
        let text = line("step", &skipped);
        assert!(text.contains("no network") && text.contains("do this"));
        let mut counts = Counts::default();
        counts.add(&skipped);
        assert_eq!(counts.skipped, 1);
    }
}
