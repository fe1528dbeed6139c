//! The Python package over the library that was built beside this test: its own tests, in `python/tests`.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest Python that the package is for, as pyproject.toml says.
const OLDEST: &str = "(3, 9)";

/// The library: cargo lays it beside the programs that test it.
fn library() -> PathBuf {
    let folder = std::env::current_exe().unwrap();
    let library = folder.with_file_name(format!("{DLL_PREFIX}hala_ffi{DLL_SUFFIX}"));
    assert!(library.is_file(), "{} is not there: cargo builds it with the crate", library.display());
    library
}

/// Whether this machine has a Python that is new enough; says so where not, straight to the terminal: what is skipped must be seen.
fn has_python() -> bool {
    let asked = format!("import sys; sys.exit(sys.version_info < {OLDEST})");
    let why = match Command::new("python3").args(["-c", &asked]).output() {
        Ok(done) if done.status.success() => return true,
        Ok(_) => format!("python3 is older than {OLDEST}"),
        Err(error) => format!("`python3` is not on PATH ({error})"),
    };
    let _ = writeln!(std::io::stderr(), "skipped: the tests of the Python package: {why}");
    false
}

/// Runs tests of `python/tests` by their names, as unittest takes them.
fn run(tests: &[&str]) {
    if !has_python() {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let mut python = Command::new("python3");
    // What Python compiles of the tree's modules it keeps to itself.
    python.args(["-B", "-X", "utf8", "-m", "unittest", "-v"]).args(tests).current_dir(folder);
    let done = python.env("HALA_LIBRARY", library()).output().unwrap();
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{}\n{told}", String::from_utf8_lossy(&done.stdout));
    // An empty list of tests would pass too.
    assert!(!told.contains("Ran 0 tests"), "{told}");
    for line in told.lines().filter(|line| line.contains("... skipped")) {
        let _ = writeln!(std::io::stderr(), "skipped: tests of the Python package: {line}");
    }
}

#[test]
fn the_signatures_are_those_of_the_header() {
    run(&["tests.test_header"]);
}

#[test]
fn the_package_does_what_it_says() {
    run(&["tests.test_load", "tests.test_translate", "tests.test_chat", "tests.test_download"]);
}

#[test]
fn threads_interrupts_and_the_collector_do_no_harm() {
    run(&["tests.test_threads"]);
}

#[test]
fn the_example_scores_the_built_in_model() {
    run(&["tests.test_evaluate"]);
}

#[test]
fn the_wheel_works_where_nothing_of_the_tree_is() {
    run(&["tests.test_wheel"]);
}
