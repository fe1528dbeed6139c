//! `cargo xtask test`: set-up, every test of the workspace, the CPU kernels in WebAssembly, the package in a browser, and a summary.

mod output;
mod summary;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Result;

use crate::args::{self, Task, Usage};
use crate::extent::Extent;
use crate::need::Install;
use crate::outcome::Outcome;
use crate::process;
use crate::project::{self, Project};
use crate::times::Times;
use crate::verdict::{Verdict, ready};
use crate::{android, ffi, kernels, kotlin, needs, swift, wasm, web};
use output::{Counts, Program};

pub(crate) const TASK: Task = Task {
    name: "test",
    about: "set up, then run all tests of the workspace",
    help: "\
Runs all tests of the workspace, documentation examples included, tests the CPU kernels in WebAssembly, compiles the Kotlin façade and tests it on
this machine's Java, and builds the package for browsers and tests it in Chromium; where that cannot be, checks at least that the crates which the browser needs compile for wasm32. What the tests need and
this machine lacks is installed first, where that is possible; what cannot be had is named, and its tests are skipped. The summary names
what took longest and what was left to --long. The last line of the output is `N passed, N failed, N skipped`.

Usage: cargo xtask test [--long] [--only NAME] [--no-install] [FILTER] [-- ARGS]

  --long         also what takes long: whole sweeps, fuzzing, whole corpora (tests marked #[ignore = \"long: …\"]), the CPU
                 kernels for aarch64 in QEMU, the Android sources against stubs, the Android package, the library's
                 types for iOS, and the Swift package; for every night rather than every change
  --only NAME    only the tests of one crate, by its folder (tensor, tests) or package (hala-tensor)
  --no-install   install nothing
  FILTER         only tests whose names contain this text
  ARGS           for the test programs, for example `-- --nocapture`

With --only, FILTER or ARGS the kernels and the package are left out.
",
    run,
};

#[derive(Debug, Default)]
struct Options {
    only: Option<String>,
    no_install: bool,
    extent: Extent,
    filter: Vec<String>,
    /// For the test programs.
    args: Vec<String>,
}

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    let options = parse(words)?;
    let install = if options.no_install { Install::Forbidden } else { Install::Allowed };
    let (started, mut times) = (Instant::now(), Times::default());

    let mut steps = times.take("set-up", || unmet_needs(install));
    let (verdict, programs) = workspace(project, &options, &mut times);
    let mut counts = count(&verdict, &programs);
    let mut long = summary::long(&programs);
    let is_whole = options.only.is_none() && options.filter.is_empty() && options.args.is_empty();
    let mut others = Vec::new();
    if is_whole {
        others = beside(project, install, options.extent, &mut times);
        if options.extent == Extent::Daily {
            long.push((kernels::LEFT_OUT.to_owned(), 1));
            for name in [kotlin::ANDROID_TESTED, android::TESTED, android::IOS_TESTED, swift::TESTED] {
                long.push((name.to_owned(), 1));
            }
            let is_tested = |(name, verdict): &(_, Verdict)| {
                *name == web::TESTED && !matches!(verdict, Verdict::Skipped { .. })
            };
            if others.iter().any(is_tested) {
                long.push((web::TESTED.to_owned(), web::n_long(project)));
            }
        }
    }
    // The tests of the workspace are counted one by one.
    steps.iter().chain(&others).for_each(|(_, verdict)| counts += one(verdict));
    steps.push(("tests", verdict));
    steps.extend(others);

    println!("\nSummary, after {} s", started.elapsed().as_secs());
    print!("{}", summary::text(&steps, &long, &times));
    println!("{}", summary::last_line(counts));
    Ok(if counts.failed == 0 { Outcome::Good } else { Outcome::Bad })
}

fn parse(words: &[String]) -> Result<Options, Usage> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--only" => options.only = Some(project::package_name(&args::value(&mut words, word)?)),
            "--no-install" => options.no_install = true,
            "--long" => options.extent = Extent::Long,
            "--" => options.args.extend(words.by_ref().cloned()),
            _ if word.starts_with('-') => return Err(Usage::unknown("test", word)),
            _ => options.filter.push(word.clone()),
        }
    }
    Ok(options)
}

/// What is tested beside the workspace, with the name of each step.
fn beside(
    project: &Project,
    install: Install,
    extent: Extent,
    times: &mut Times,
) -> Vec<(&'static str, Verdict)> {
    let sure =
        |verdict: Result<Verdict>| verdict.unwrap_or_else(|error| Verdict::Failed(format!("{error:#}")));
    let mut steps = Vec::new();
    let kernels = times.take(kernels::TESTED, || sure(kernels::verdict(project, install)));
    steps.push((kernels::TESTED, kernels));
    if extent == Extent::Long {
        let kernels = times.take(kernels::LEFT_OUT, || sure(kernels::left_out(project, install)));
        steps.push((kernels::LEFT_OUT, kernels));
    }
    let facade = times.take(kotlin::TESTED, || sure(kotlin::verdict(project, install)));
    steps.push((kotlin::TESTED, facade));
    let native = times.take(ffi::TESTED, || sure(ffi::verdict(project, install)));
    steps.push((ffi::TESTED, native));
    if extent == Extent::Long {
        let android = times.take(kotlin::ANDROID_TESTED, || sure(kotlin::android_verdict(project, install)));
        steps.push((kotlin::ANDROID_TESTED, android));
        let package = times.take(android::TESTED, || sure(android::verdict(project, install)));
        steps.push((android::TESTED, package));
        let types = times.take(android::IOS_TESTED, || sure(android::ios_verdict(project, install)));
        steps.push((android::IOS_TESTED, types));
        let package = times.take(swift::TESTED, || sure(swift::verdict(project, install)));
        steps.push((swift::TESTED, package));
    }
    let package = sure(web::verdict(project, install, extent, times));
    // The package's modules are made of all these crates: where they are compiled, nothing is left to check.
    if matches!(package, Verdict::Skipped { .. }) {
        let (name, packages) = (needs::WASM.skipped, wasm::browser_packages(project));
        steps.push((name, times.take(name, || sure(wasm::verdict(project, &packages, install)))));
    }
    steps.push((web::TESTED, package));
    steps
}

/// Looks at what `cargo test` needs; each missing thing skips its tests.
fn unmet_needs(install: Install) -> Vec<(&'static str, Verdict)> {
    let mut unmet = Vec::new();
    for need in needs::TESTS {
        if let Err(skipped) = ready(need, install) {
            unmet.push((need.skipped, skipped));
        }
    }
    unmet
}

/// All tests of the workspace, or of one crate, built by one cargo call, so that nothing is built twice; all run even when some fail.
fn workspace(project: &Project, options: &Options, times: &mut Times) -> (Verdict, Vec<Program>) {
    let built =
        times.take("building the tests", || process::show(cargo_test(project, options).arg("--no-run")));
    match built {
        Ok(true) => {}
        Ok(false) => return (Verdict::Failed(String::from("the tests do not build; see above")), Vec::new()),
        Err(error) => return (Verdict::Failed(format!("{error:#}")), Vec::new()),
    }
    let mut command = cargo_test(project, options);
    command.arg("--no-fail-fast").args(&options.filter).arg("--").args(&options.args);
    if options.extent == Extent::Long {
        command.arg("--include-ignored");
    }
    if Path::new(needs::SWIFTSHADER).is_file() {
        // Beside the drivers that the system has.
        command.env("VK_ADD_DRIVER_FILES", needs::SWIFTSHADER);
    }
    match process::tee(&mut command) {
        Ok(done) => {
            let programs = output::programs(&done.output);
            programs.iter().for_each(|program| times.note(&program.name, program.time));
            (judge(&programs, done.success), programs)
        }
        Err(error) => (Verdict::Failed(format!("{error:#}")), Vec::new()),
    }
}

fn cargo_test(project: &Project, options: &Options) -> Command {
    let mut command = project.cargo();
    command.arg("test");
    match &options.only {
        Some(package) => command.args(["--package", package]),
        None => command.arg("--workspace"),
    };
    command
}

fn judge(programs: &[Program], success: bool) -> Verdict {
    let dead = programs.iter().filter(|program| !program.ended);
    let dead = dead.map(|program| format!("{} died, see above", program.name));
    let failed: Vec<_> = programs.iter().flat_map(|program| program.failed.clone()).chain(dead).collect();
    let counts = total(programs);
    if !failed.is_empty() {
        Verdict::Failed(failed.join(", "))
    } else if !success || counts.failed > 0 {
        Verdict::Failed(String::from("see above"))
    } else {
        Verdict::Passed(format!("{} passed, {} ignored", counts.passed, counts.skipped))
    }
}

fn total(programs: &[Program]) -> Counts {
    programs.iter().fold(Counts::default(), |mut sum, program| {
        sum += program.counts;
        sum
    })
}

/// Tests by how they ended; what failed without a test that did, as a build or a program that died, is one more failure.
fn count(verdict: &Verdict, programs: &[Program]) -> Counts {
    let mut counts = total(programs);
    counts.failed += programs.iter().filter(|program| !program.ended).count();
    if matches!(verdict, Verdict::Failed(_)) {
        counts.failed = counts.failed.max(1);
    }
    counts
}

/// A step that is counted as one test.
fn one(verdict: &Verdict) -> Counts {
    let (passed, failed, skipped) = match verdict {
        Verdict::Passed(_) => (1, 0, 0),
        Verdict::Failed(_) => (0, 1, 0),
        Verdict::Skipped { .. } => (0, 0, 1),
    };
    Counts { passed, failed, skipped, long: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(counts: Counts, failed: &[&str], ended: bool) -> Program {
        let failed = failed.iter().copied().map(String::from).collect();
        Program { name: String::from("ops"), counts, failed, ended, ..Program::default() }
    }

    const PASSED: Counts = Counts { passed: 4, failed: 0, skipped: 1, long: 2 };

    #[test]
    fn counts_are_summed_over_test_programs_and_failures_named() {
        let failed = Counts { passed: 12, failed: 1, skipped: 3, long: 1 };
        let programs = [program(PASSED, &[], true), program(failed, &["shape::tails"], true)];
        let verdict = judge(&programs, false);
        assert_eq!(count(&verdict, &programs), Counts { passed: 16, failed: 1, skipped: 4, long: 3 });
        assert!(matches!(verdict, Verdict::Failed(names) if names == "shape::tails"));
    }

    #[test]
    fn what_ends_badly_without_a_failed_test_counts_as_one_failure() {
        let verdict = Verdict::Failed(String::from("the tests do not build"));
        assert_eq!(count(&verdict, &[]), Counts { failed: 1, ..Counts::default() });
        let programs = [program(PASSED, &[], true)];
        assert_eq!(count(&judge(&programs, false), &programs), Counts { failed: 1, ..PASSED });
    }

    #[test]
    fn a_program_that_died_is_named_and_is_a_failure_beside_others() {
        let failed = Counts { failed: 1, ..Counts::default() };
        let programs = [program(PASSED, &[], false), program(failed, &["a"], true)];
        let verdict = judge(&programs, false);
        assert_eq!(count(&verdict, &programs).failed, 2);
        assert!(matches!(verdict, Verdict::Failed(names) if names == "a, ops died, see above"));
    }

    #[test]
    fn all_good_is_told_without_what_was_left_to_long() {
        let verdict = judge(&[program(PASSED, &[], true)], true);
        assert!(matches!(verdict, Verdict::Passed(what) if what == "4 passed, 1 ignored"));
    }

    #[test]
    fn words_are_split_between_xtask_cargo_and_the_test_programs() {
        let words = ["--long", "--only", "tensor", "tails", "--", "--nocapture", "--only"].map(String::from);
        let options = parse(&words).unwrap();
        assert_eq!(options.only.as_deref(), Some("hala-tensor"));
        assert_eq!(options.extent, Extent::Long);
        assert_eq!(options.filter, ["tails"]);
        assert_eq!(options.args, ["--nocapture", "--only"]);
        assert_eq!(parse(&[]).unwrap().extent, Extent::Daily);
    }

    #[test]
    fn an_unknown_option_is_refused() {
        assert!(parse(&[String::from("--release")]).unwrap_err().to_string().contains("--release"));
    }

    #[test]
    fn a_step_counts_as_one() {
        let skipped = Verdict::Skipped { why: String::from("no network"), remedy: String::from("do this") };
        assert_eq!(one(&skipped), Counts { skipped: 1, ..Counts::default() });
        assert_eq!(one(&Verdict::Passed(String::new())).passed, 1);
    }
}
