//! The Swift package over the native library: built and tested against the static library, and the XCFramework that Apple's systems take.

mod native;
mod plist;
mod slice;
mod xcframework;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::args::{self, Task, Usage};
use crate::need::{self, Install};
use crate::needs;
use crate::outcome::Outcome;
use crate::process;
use crate::project::Project;
use crate::verdict::{Verdict, ready};
use slice::Slice;

pub(crate) const TASK: Task = Task {
    name: "swift",
    about: "build and test the Swift package, or write its XCFramework",
    help: "\
Packs the native library as `cargo xtask ffi --dev` does, builds the package in crates/ffi/swift against the static one, warnings being errors,
and runs its tests. Swift 6 or later is taken from PATH, or from the folder that HALA_SWIFT names.

Usage: cargo xtask swift
       cargo xtask swift --xcframework TARGET[+TARGET]=LIBRARY ... [--output DIR]

  --xcframework   writes the folder that SwiftPM and Xcode take: one static library for each of Apple's systems, by the targets that it was
                  compiled for, as aarch64-apple-ios=target/aarch64-apple-ios/native/libhala_ffi.a. A library of two targets, as
                  `lipo -create` joins them, names both: aarch64-apple-ios-sim+x86_64-apple-ios=LIBRARY
  --output DIR    where to (default: crates/ffi/swift/CHala.xcframework, where Package.swift looks)
",
    run,
};

/// The step of `cargo xtask test --long`, in a word or two.
pub(crate) const TESTED: &str = "the Swift package";

/// The package, from the root.
const PACKAGE: &str = "crates/ffi/swift";

#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    /// None: the tests are run.
    framework: Option<Vec<Slice>>,
    output: Option<PathBuf>,
}

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    let options = parse(words)?;
    let Some(slices) = options.framework else {
        return Ok(verdict(project, Install::Allowed)?.report());
    };
    let folder = project.root.join(options.output.unwrap_or_else(|| PathBuf::from(xcframework::FOLDER)));
    xcframework::write(project, &slices, &folder)?;
    Ok(Verdict::Passed(format!("{} for {}", folder.display(), slice::names(&slices))).report())
}

fn parse(words: &[String]) -> Result<Options, Usage> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match (word.as_str(), &mut options.framework) {
            ("--xcframework", framework) => *framework = Some(Vec::new()),
            ("--output", _) => options.output = Some(PathBuf::from(args::value(&mut words, word)?)),
            (given, Some(slices)) if !given.starts_with('-') => slices.push(Slice::parse(given)?),
            _ => return Err(Usage::unknown("swift", word)),
        }
    }
    if let Some(slices) = &options.framework {
        slice::check(slices)?;
    } else if options.output.is_some() {
        return Err(Usage::new("`--output` is for `--xcframework`"));
    }
    Ok(options)
}

/// Builds the package against the static library and runs its tests.
pub(crate) fn verdict(project: &Project, install: Install) -> Result<Verdict> {
    if let Err(skipped) = ready(&needs::SWIFT, install) {
        return Ok(skipped);
    }
    let folder = project.target().join("swift");
    let Some(native) = native::prepare(project, &folder)? else {
        return Ok(Verdict::Failed(String::from("the native library cannot be packed; see above")));
    };
    let build = folder.join("build");
    native::forget_linked(&build)?;
    let swift = |words: &[&str]| {
        let mut command = Command::new(need::program_of("swift", needs::SWIFT_FOLDER).unwrap_or_default());
        command
            .args(words)
            .arg("--package-path")
            .arg(project.root.join(PACKAGE))
            .arg("--scratch-path")
            .arg(&build);
        command.args(["-Xswiftc", "-warnings-as-errors"]).env("PKG_CONFIG_PATH", native.pkg_config());
        // No GPU, network or model of whoever runs the tests takes part.
        command.env("VK_DRIVER_FILES", "/dev/null").env("HF_HUB_OFFLINE", "1");
        command
    };
    if !process::show(&mut swift(&["build", "--build-tests"]))? {
        return Ok(Verdict::Failed(String::from("the package does not build; see above")));
    }
    let done = process::tee(&mut swift(&["test", "--skip-build"]))?;
    Ok(judge(&done.output, done.success))
}

/// What the output of XCTest says: the last of its sums is that of all tests.
fn judge(output: &str, success: bool) -> Verdict {
    let sum = output.lines().rev().find_map(|line| line.trim().strip_prefix("Executed "));
    let n_tests = sum.and_then(|sum| sum.split(' ').next()?.parse::<usize>().ok());
    match n_tests {
        Some(n_tests) if success && n_tests > 0 => Verdict::Passed(format!("{n_tests} tests passed")),
        Some(_) if !success => Verdict::Failed(format!("executed {}", sum.unwrap_or_default())),
        _ => Verdict::Failed(String::from("its tests did not run to their end; see above")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Options, Usage> {
        parse(&text.split_whitespace().map(String::from).collect::<Vec<_>>())
    }

    #[test]
    fn tests_are_run_where_no_framework_is_asked_for() {
        assert_eq!(parsed("").unwrap(), Options::default());
        let options =
            parsed("--xcframework aarch64-apple-ios=a.a aarch64-apple-darwin=b.a --output there").unwrap();
        assert_eq!(options.framework.unwrap().len(), 2);
        assert_eq!(options.output, Some(PathBuf::from("there")));
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        for text in
            ["--release", "aarch64-apple-ios=a.a", "--output there", "--xcframework", "--xcframework --dev"]
        {
            assert!(parsed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_sum_of_all_tests_decides() {
        let sums = "\t Executed 4 tests, with 0 failures (0 unexpected) in 1 (1) seconds\n\
                    \t Executed 30 tests, with 0 failures (0 unexpected) in 9 (9) seconds\nnoise\n";
        assert!(matches!(judge(sums, true), Verdict::Passed(what) if what == "30 tests passed"));
        let failed = "\t Executed 30 tests, with 2 failures (0 unexpected) in 9 (9) seconds\n";
        assert!(matches!(judge(failed, false), Verdict::Failed(what) if what.contains("2 failures")));
        for (output, success) in [("", true), ("killed", false), ("Executed 0 tests, with 0 failures", true)]
        {
            assert!(matches!(judge(output, success), Verdict::Failed(_)), "{output}");
        }
    }
}
