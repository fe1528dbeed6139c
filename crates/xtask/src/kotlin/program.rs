//! A program of tests, run on this machine's Java against the native library.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::compiler::Compiler;
use crate::process;
use crate::project::Project;
use crate::verdict::Verdict;

/// Tests that were compiled.
pub(super) struct Program<'a> {
    /// Jars and folders of classes.
    pub(super) jars: &'a [PathBuf],
    /// The class that runs them.
    pub(super) main: &'a str,
    /// Only tests whose names contain it.
    pub(super) filter: Option<&'a str>,
}

impl Program<'_> {
    /// Builds the library and runs the tests.
    pub(super) fn run(&self, project: &Project, compiler: &Compiler) -> Result<Verdict> {
        if !process::show(&mut library(project))? {
            return Ok(Verdict::Failed(String::from("the native library does not build; see above")));
        }
        let mut java = Command::new("java");
        java.args(["-Xcheck:jni", "-Xmx128m", "-cp"]).arg(compiler.class_path(self.jars)?);
        java.arg(format!("-Dorg.hala.library={}", library_file(project).display()));
        java.arg(self.main).args(self.filter).current_dir(&project.root);
        // No GPU, network or model of whoever runs the tests takes part.
        java.env("VK_DRIVER_FILES", "/dev/null").env("HF_HUB_OFFLINE", "1");
        // Else the C library keeps what was freed for each thread apart, and memory that is lost does not show.
        java.env("MALLOC_ARENA_MAX", "1");
        let done = process::tee(&mut java)?;
        Ok(judge(&done.output, done.success))
    }
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
}
