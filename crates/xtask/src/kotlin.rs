//! Kotlin: the façade, tested on this machine's Java against the native library, and what is Android's alone, against stubs.

mod android;
mod compiler;
mod java;
mod program;
mod resources;
mod sources;

use std::path::PathBuf;

use anyhow::Result;

use crate::args::{Task, Usage};
use crate::need::{Install, Need};
use crate::needs;
use crate::outcome::Outcome;
use crate::project::Project;
use crate::verdict::{Verdict, ready};
use android::Android;
use compiler::{Compiler, Job};
use program::Program;

pub(crate) const TASK: Task = Task {
    name: "kotlin",
    about: "compile and test the Kotlin façade",
    help: "\
Compiles android/hala, warnings being errors, with the Kotlin compiler that npm has, and runs its tests on this machine's Java with -Xcheck:jni,
against the native library as the workspace's tests build it. The compiler is installed into target/kotlin, at the version of
android/compiler/package-lock.json.

Usage: cargo xtask kotlin [--android] [FILTER]

  --android   instead of the façade's tests: compiles org.hala.android and the demo app against stubs of Android and AndroidX, reads resources
              and manifests by aapt2, and runs the tests of what can be tested without Android
  FILTER      only tests whose names contain this text
",
    run,
};

/// The steps of `cargo xtask test`, in a word or two.
pub(crate) const TESTED: &str = "the Kotlin façade";
pub(crate) const ANDROID_TESTED: &str = "the Android sources against stubs";

/// The folders of the façade's sources and of its tests.
const SOURCES: &[&str] = &["android/hala/src/main/kotlin", "android/hala/src/test/kotlin"];

/// The class that runs the tests.
const TESTS: &str = "org.hala.MainKt";

/// What compiles for Android.
const ANDROID_NEEDS: &[&Need] = &[&needs::JDK, &needs::AAPT, &needs::NODE];

#[derive(Default)]
struct Options {
    is_for_android: bool,
    filter: Option<String>,
}

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    let options = parse(words)?;
    let filter = options.filter.as_deref();
    let tested = if options.is_for_android { on_stubs } else { on_java };
    Ok(tested(project, Install::Allowed, filter)?.report())
}

fn parse(words: &[String]) -> Result<Options, Usage> {
    let mut options = Options::default();
    for word in words {
        match word.as_str() {
            "--android" => options.is_for_android = true,
            _ if word.starts_with('-') || options.filter.is_some() => {
                return Err(Usage::unknown("kotlin", word));
            }
            _ => options.filter = Some(word.clone()),
        }
    }
    Ok(options)
}

/// Compiles the façade and runs its tests; skipped where something for that cannot be had.
pub(crate) fn verdict(project: &Project, install: Install) -> Result<Verdict> {
    on_java(project, install, None)
}

/// The same of what is Android's alone.
pub(crate) fn android_verdict(project: &Project, install: Install) -> Result<Verdict> {
    on_stubs(project, install, None)
}

/// Kotlin's part of the Android package.
pub(crate) struct Part {
    /// A jar.
    pub(crate) classes: PathBuf,
    /// The list of its resources.
    pub(crate) symbols: PathBuf,
}

/// Compiles what an app gets: the façade and what is Android's alone, without tests and stubs.
pub(crate) fn part(project: &Project, install: Install) -> Result<Result<Part, Verdict>> {
    let compiler = match compiler(project, install, ANDROID_NEEDS)? {
        Ok(compiler) => compiler,
        Err(verdict) => return Ok(Err(verdict)),
    };
    let android = Android::new(project, &compiler);
    let library = android.library()?;
    Ok(library.map(|library| Part { classes: library.jar, symbols: android.symbols() }))
}

fn on_java(project: &Project, install: Install, filter: Option<&str>) -> Result<Verdict> {
    let compiler = match compiler(project, install, &[&needs::JAVA, &needs::NODE])? {
        Ok(compiler) => compiler,
        Err(verdict) => return Ok(verdict),
    };
    let job = Job {
        what: "the façade",
        jar: "tests.jar",
        sources: sources::of(project, SOURCES, "kt")?,
        ..Job::default()
    };
    let Some(tests) = compiler.compile(&job)? else {
        return Ok(Verdict::Failed(String::from("the façade does not compile; see above")));
    };
    Program { jars: &[tests], main: TESTS, filter }.run(project, &compiler)
}

fn on_stubs(project: &Project, install: Install, filter: Option<&str>) -> Result<Verdict> {
    match compiler(project, install, ANDROID_NEEDS)? {
        Ok(compiler) => Android::new(project, &compiler).verdict(filter),
        Err(verdict) => Ok(verdict),
    }
}

/// The compiler, once what it needs is there.
fn compiler(project: &Project, install: Install, needs: &[&Need]) -> Result<Result<Compiler, Verdict>> {
    for need in needs {
        if let Err(skipped) = ready(need, install) {
            return Ok(Err(skipped));
        }
    }
    let compiler = Compiler::new(project);
    if !compiler.install()? {
        let why = String::from("npm cannot install Kotlin's compiler; see above");
        let remedy = String::from("cargo xtask kotlin, with a network");
        return Ok(Err(Verdict::Skipped { why, remedy }));
    }
    Ok(Ok(compiler))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read() {
        let words = |text: &str| text.split(' ').map(String::from).collect::<Vec<_>>();
        let options = parse(&words("--android trim")).unwrap();
        assert!(options.is_for_android && options.filter.as_deref() == Some("trim"));
        assert!(parse(&words("--phone")).is_err() && parse(&words("a b")).is_err());
    }
}
