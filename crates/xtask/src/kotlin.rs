//! The Kotlin façade: compiled by npm's Kotlin compiler, and tested on this machine's Java against the native library.

mod compiler;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::args::{self, Task};
use crate::need::Install;
use crate::needs;
use crate::outcome::Outcome;
use crate::process;
use crate::project::Project;
use crate::verdict::{Verdict, ready};
use compiler::Compiler;

pub(crate) const TASK: Task = Task {
    name: "kotlin",
    about: "compile and test the Kotlin façade",
    help: "\
Compiles android/hala, warnings being errors, with the Kotlin compiler that npm has, and runs its tests on this machine's Java with -Xcheck:jni,
against the native library as the workspace's tests build it. The compiler is installed into target/kotlin, at the version of
android/compiler/package-lock.json.

Usage: cargo xtask kotlin [FILTER]

  FILTER   only tests whose names contain this text
",
    run,
};

/// The step of `cargo xtask test`, in a word or two.
pub(crate) const TESTED: &str = "the Kotlin façade";

/// The folders of the façade's sources and of its tests.
const SOURCES: &[&str] = &["android/hala/src/main/kotlin", "android/hala/src/test/kotlin"];

/// The class that runs the tests.
const TESTS: &str = "org.hala.CheckKt";

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    let filter = match words {
        [filter] if !filter.starts_with('-') => Some(filter.as_str()),
        _ => {
            args::none("kotlin", words)?;
            None
        }
    };
    Ok(tested(project, Install::Allowed, filter)?.report())
}

/// Compiles the façade and runs its tests; skipped where something for that cannot be had.
pub(crate) fn verdict(project: &Project, install: Install) -> Result<Verdict> {
    tested(project, install, None)
}

fn tested(project: &Project, install: Install, filter: Option<&str>) -> Result<Verdict> {
    for need in [&needs::JAVA, &needs::NODE] {
        if let Err(skipped) = ready(need, install) {
            return Ok(skipped);
        }
    }
    let compiler = Compiler::new(project);
    if !compiler.install()? {
        let why = String::from("npm cannot install Kotlin's compiler; see above");
        return Ok(Verdict::Skipped { why, remedy: String::from("cargo xtask kotlin, with a network") });
    }
    if !process::show(&mut library(project))? {
        return Ok(Verdict::Failed(String::from("the native library does not build; see above")));
    }
    let Some(program) = compiler.compile(&sources(project)?)? else {
        return Ok(Verdict::Failed(String::from("the façade does not compile; see above")));
    };
    let mut java = Command::new("java");
    java.args(["-Xcheck:jni", "-Xmx128m", "-cp"]).arg(compiler.class_path(&program)?);
    java.arg(format!("-Dorg.hala.library={}", library_file(project).display())).arg(TESTS).args(filter);
    // No GPU, network or model of whoever runs the tests takes part.
    java.env("VK_DRIVER_FILES", "/dev/null").env("HF_HUB_OFFLINE", "1");
    // Else the C library keeps what was freed for each thread apart, and memory that is lost does not show.
    java.env("MALLOC_ARENA_MAX", "1");
    let done = process::tee(&mut java)?;
    Ok(judge(&done.output, done.success))
}

/// Builds the library with the very features that the workspace's tests have, so that nothing is built twice.
fn library(project: &Project) -> Command {
    let mut command = project.cargo();
    command.args(["test", "--workspace", "--test", "header", "--no-run"]);
    command
}

/// Where cargo lays it.
fn library_file(project: &Project) -> PathBuf {
    let name = format!("{}hala_ffi{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    project.target().join("debug/deps").join(name)
}

/// All files of the façade and its tests, in the same order everywhere.
fn sources(project: &Project) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in SOURCES {
        collect(&project.root.join(folder), &mut files)?;
    }
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "kt") {
            files.push(path);
        }
    }
    Ok(())
}

/// What -Xcheck:jni begins its complaints with.
const COMPLAINTS: &[&str] = &["WARNING in native method", "FATAL ERROR in native method", "WARNING: JNI"];

/// What the tests' output says: its last line, and no complaint about calls between Java and the library.
fn judge(output: &str, success: bool) -> Verdict {
    if let Some(line) = output.lines().find(|line| COMPLAINTS.iter().any(|words| line.contains(words))) {
        return Verdict::Failed(format!("-Xcheck:jni complains: {}", line.trim()));
    }
    match output.lines().rev().find_map(counts) {
        Some((n_passed, 0)) if success && n_passed > 0 => Verdict::Passed(format!("{n_passed} tests passed")),
        Some((_, n_failed)) if n_failed > 0 => Verdict::Failed(format!("{n_failed} tests failed; see above")),
        _ => Verdict::Failed(String::from("its tests did not run to their end; see above")),
    }
}

/// `3 passed, 0 failed`.
fn counts(line: &str) -> Option<(usize, usize)> {
    let (passed, failed) = line.split_once(" passed, ")?;
    Some((passed.parse().ok()?, failed.strip_suffix(" failed")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_run_that_came_to_its_end_has_passed() {
        let passed = |output, success| matches!(judge(output, success), Verdict::Passed(what) if what == "3 tests passed");
        assert!(passed("test a ... ok\n3 passed, 0 failed\n", true));
        assert!(!passed("3 passed, 0 failed\n", false));
        assert!(!passed("2 passed, 1 failed\n", true));
        assert!(!passed("0 passed, 0 failed\n", true));
        assert!(!passed("test a ... ok\n", true));
    }

    #[test]
    fn a_complaint_about_a_call_is_a_failure_whatever_else_passed() {
        let output =
            "WARNING in native method: JNI call made without checking exceptions\n3 passed, 0 failed\n";
        assert!(matches!(judge(output, true), Verdict::Failed(why) if why.contains("without checking")));
    }

    #[test]
    fn the_sources_are_found() {
        let files = sources(&Project::find().unwrap()).unwrap();
        assert!(files.iter().any(|file| file.ends_with("org/hala/Hala.kt")));
        assert!(files.iter().any(|file| file.ends_with("org/hala/Check.kt")));
    }
}
