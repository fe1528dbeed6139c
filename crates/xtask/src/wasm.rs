//! The check that the crates a browser needs compile for wasm32.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::args::{self, Task, Usage};
use crate::need::{Fix, Install, Way};
use crate::needs::{self, DEBIAN_RUSTC, WASM_TARGET};
use crate::outcome::Outcome;
use crate::process;
use crate::project::{self, CRATES, Project};
use crate::verdict::{Verdict, ready};

pub(crate) const TASK: Task = Task {
    name: "wasm",
    about: "check that the browser's crates compile for wasm32",
    help: "\
Checks that the crates which the browser needs compile for wasm32-unknown-unknown, without their native-only
default features. Uses rustup's standard library for that target; where rustup cannot get it, Debian's
compiler and its standard library from source, in the target folder target/wasm. Where neither can be had it says so and ends
with exit code 1; `cargo xtask test` counts that as skipped.

Usage: cargo xtask wasm [--package NAME]... [--with rustup|debian] [--no-install]

  --package NAME  only this crate; may be given more than once (default: all that the browser needs)
  --with WAY      only this toolchain, not the first that is there
  --no-install    skip the check rather than install anything
",
    run,
};

/// Messages by which cargo or the compiler says that the toolchain, not our code, is at fault.
const TOOLCHAIN_FAULTS: &[&str] = &[
    "failed to download",
    "failed to get `",
    "failed to fetch",
    "unable to update registry",
    "Could not resolve host",
    "can't find crate for `core`",
    "can't find crate for `std`",
    "could not compile `core`",
    "could not compile `std`",
    "is not supported by the following package",
];

#[derive(Default)]
struct Options {
    packages: Vec<String>,
    way: Option<&'static Way>,
    no_install: bool,
}

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    let options = parse(words)?;
    let packages = if options.packages.is_empty() { browser_packages(project) } else { options.packages };
    let install = if options.no_install { Install::Forbidden } else { Install::Allowed };
    let verdict = match options.way {
        Some(way) => check(project, way, &packages)?,
        None => verdict(project, &packages, install)?,
    };
    Ok(verdict.report())
}

fn parse(words: &[String]) -> Result<Options, Usage> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--package" | "-p" => {
                let name = args::value(&mut words, word)?;
                options.packages.push(project::package_name(&name));
            }
            "--no-install" => options.no_install = true,
            "--with" => options.way = Some(way_named(&args::value(&mut words, word)?)?),
            _ => return Err(Usage::unknown("wasm", word)),
        }
    }
    Ok(options)
}

fn way_named(name: &str) -> Result<&'static Way, Usage> {
    let wanted = |way: &&Way| match way.fix {
        Fix::RustupTarget(_) => name == "rustup",
        Fix::Debian(_) => name == "debian",
        Fix::RustupComponent(_) | Fix::ByHand(_) => false,
    };
    let way = needs::WASM.ways.iter().find(wanted);
    way.ok_or_else(|| Usage::new(format!("`--with {name}`: it is rustup or debian")))
}

/// The packages of those browser crates that exist yet.
pub(crate) fn browser_packages(project: &Project) -> Vec<String> {
    let rows = CRATES.iter().filter(|row| row.browser && project.has_crate(row.name));
    rows.map(|row| project::package_name(row.name)).collect()
}

/// Sets up and checks; skipped where the toolchain cannot be had.
pub(crate) fn verdict(project: &Project, packages: &[String], install: Install) -> Result<Verdict> {
    match ready(&needs::WASM, install) {
        Ok(way) => check(project, way, packages),
        Err(skipped) => Ok(skipped),
    }
}

fn check(project: &Project, way: &Way, packages: &[String]) -> Result<Verdict> {
    let mut command = project.cargo();
    command.args(["check", "--target", WASM_TARGET, "--no-default-features"]);
    command.args(packages.iter().flat_map(|name| ["--package", name]));
    if let Fix::Debian(_) = way.fix {
        from_source(way, &project.target().join("wasm"), &mut command);
    }
    println!("checking {} for {WASM_TARGET}", packages.join(", "));
    let done = process::tee_stderr(&mut command)?;
    let what = format!("{} crates compile for wasm32", packages.len());
    Ok(match judge(&done.output, done.success) {
        Judgement::Compiles => Verdict::Passed(what),
        Judgement::OurFault => Verdict::Failed(String::from("the browser crates do not compile for wasm32")),
        Judgement::ToolchainFault(line) => Verdict::Skipped {
            why: format!("the wasm32 toolchain does not work here: {line}"),
            remedy: format!("rustup target add {WASM_TARGET}"),
        },
    })
}

/// Has cargo build the standard library too, from its source, into `target`: a folder of its own for another compiler than the active one,
/// whose artefacts it would evict.
pub(crate) fn from_source(way: &Way, target: &Path, command: &mut Command) {
    command.args(["-Z", "build-std=std,panic_abort"]).arg("--target-dir").arg(target);
    command.env("RUSTC_BOOTSTRAP", "1");
    // The standard library is compiled in full here; nothing of it runs, so it need not be fast.
    command.env("CARGO_PROFILE_DEV_OPT_LEVEL", "0").env("CARGO_PROFILE_DEV_DEBUG", "0");
    if let Fix::Debian(_) = way.fix {
        command.env("RUSTC", DEBIAN_RUSTC);
        // `cargo run` points it at the rustup toolchain, whose libraries are not this compiler's.
        command.env_remove("LD_LIBRARY_PATH");
    }
}

/// Debian's compiler: `cargo run` points it at the rustup toolchain, whose libraries are not its own.
pub(crate) fn debian_rustc() -> Command {
    let mut command = Command::new(DEBIAN_RUSTC);
    command.env_remove("LD_LIBRARY_PATH");
    command
}

#[derive(Debug, PartialEq, Eq)]
enum Judgement {
    Compiles,
    OurFault,
    ToolchainFault(String),
}

fn judge(output: &str, success: bool) -> Judgement {
    if success {
        return Judgement::Compiles;
    }
    let at_fault = |line: &&str| TOOLCHAIN_FAULTS.iter().any(|fault| line.contains(fault));
    output
        .lines()
        .find(at_fault)
        .map_or(Judgement::OurFault, |line| Judgement::ToolchainFault(line.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compile_error_is_ours_and_a_missing_library_is_not() {
        assert_eq!(judge("", true), Judgement::Compiles);
        assert_eq!(judge("error: could not compile `hala-text` (lib)", false), Judgement::OurFault);
        let missing = "error[E0463]: can't find crate for `core`\nerror: could not compile `hala-text` (lib)";
        assert!(matches!(judge(missing, false), Judgement::ToolchainFault(line) if line.contains("core")));
    }

    #[test]
    fn packages_go_by_either_name() {
        let words: Vec<_> = ["--package", "plan", "-p", "hala-text"].map(String::from).into();
        assert_eq!(parse(&words).unwrap().packages, ["hala-plan", "hala-text"]);
    }

    #[test]
    fn an_unknown_way_or_option_is_refused() {
        for words in [["--with", "nothing"], ["--fast", "x"], ["--no-install", "--package"]] {
            assert!(parse(&words.map(String::from)).is_err());
        }
    }
}
