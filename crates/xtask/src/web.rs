//! The package for browsers: the module compiled and given its JavaScript side, TypeScript around it, the demo, tests in Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::Outcome;
use crate::args::{Task, Usage};
use crate::process;
use crate::project::Project;
use crate::setup::{self, Fix, Install, Need, WASM_TARGET, Way};
use crate::test::{self, Extent, Times, Verdict};
use crate::wasm;

pub(crate) const TASK: Task = Task {
    name: "web",
    about: "build the package for browsers and the demo, or serve the demo",
    help: "\
Compiles crates/wasm for wasm32 in release, once for one thread and once for several, writes the JavaScript sides to
web/package/wasm, builds the npm package into web/package/dist, and the demo into web/demo/dist. Uses rustup's standard library
for that target and, for several threads, its source; or Debian's where rustup cannot get them.

Usage: cargo xtask web [--serve] [--no-install]

  --serve       then serve the demo at localhost until Ctrl+C, and print its address
  --no-install  install nothing
",
    run,
};

/// Where the module and its JavaScript side go.
const MODULE_FOLDER: &str = "web/package/wasm";

/// A module that the package ships.
struct Module {
    /// Its file, without the ending.
    name: &'static str,
    /// In a sentence.
    what: &'static str,
    needs: &'static Need,
    cargo: &'static [&'static str],
    flags: &'static str,
    /// The target folder within the project's, where the standard library is built from source.
    target: &'static str,
}

/// Every browser of the last years has 128-bit vectors, and the compiler makes them of loops over rows.
const ONE_THREAD: Module = Module {
    name: "hala_wasm",
    what: "the module for one thread or a GPU",
    needs: &setup::WASM,
    cargo: &[],
    flags: "-C target-feature=+simd128",
    target: "wasm",
};

/// Memory that workers share is imported, has a largest size, and is set up once for all and once for each thread.
const THREADS: Module = Module {
    name: "hala_wasm_threads",
    what: "the module for several threads",
    needs: &setup::WASM_THREADS,
    cargo: &["--no-default-features"],
    flags: "-C target-feature=+simd128,+atomics,+bulk-memory \
        -C link-arg=--shared-memory -C link-arg=--import-memory -C link-arg=--max-memory=4294967296 \
        -C link-arg=--export=__heap_base -C link-arg=--export=__wasm_init_tls -C link-arg=--export=__tls_size \
        -C link-arg=--export=__tls_align -C link-arg=--export=__tls_base",
    target: "wasm-threads",
};

/// Where the tests in browsers are, and the variable by which those marked `@long` are run too.
const TESTS: &str = "tests/web";
const LONG: &str = "HALA_LONG";

/// The step of `cargo xtask test`, in a word or two.
pub(crate) const TESTED: &str = "the package in a browser";

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    let (mut install, mut serves) = (Install::Allowed, false);
    for word in words {
        match word.as_str() {
            "--no-install" => install = Install::Forbidden,
            "--serve" => serves = true,
            _ => return Err(Usage::unknown("web", word).into()),
        }
    }
    let built = build(project, install)?;
    if serves && matches!(built, Verdict::Passed(_)) {
        npm(&project.root.join("web"), &["run", "serve", "--workspace", "hala-demo"])?;
    }
    Ok(built.report())
}

/// Builds the package and tests it in a browser; skipped where something for that cannot be had.
pub(crate) fn verdict(
    project: &Project,
    (install, extent): (Install, Extent),
    times: &mut Times,
) -> Result<Verdict> {
    if let Err(skipped) = test::ready(&setup::BROWSER, install) {
        return Ok(skipped);
    }
    if let Err(Verdict::Skipped { why, remedy }) = test::ready(&setup::FIREFOX, install) {
        println!("web: no test in Firefox: {why}; run: {remedy}");
    }
    let built = times.take("building the package and the demo", || build(project, install))?;
    if !matches!(built, Verdict::Passed(_)) {
        return Ok(built);
    }
    times.take(TESTED, || test_in_browsers(project, extent))
}

/// The tests in browsers that are left to `--long`, once what runs them is installed; 0 where Playwright lists none.
pub(crate) fn n_long(project: &Project) -> usize {
    let mut list = Command::new("npx");
    list.args(["playwright", "test", "--list", "--grep", "@long"]).env(LONG, "1");
    let listed = process::read(list.current_dir(project.root.join(TESTS)));
    listed.ok().and_then(|listed| n_listed(&listed.output)).unwrap_or(0)
}

/// `Total: 3 tests in 2 files`, the last line of Playwright's list.
fn n_listed(output: &str) -> Option<usize> {
    let total = output.lines().rev().find_map(|line| line.strip_prefix("Total: "))?;
    total.split(' ').next()?.parse().ok()
}

/// Tests the package that is built.
fn test_in_browsers(project: &Project, extent: Extent) -> Result<Verdict> {
    let folder = project.root.join(TESTS);
    println!("web: testing the package in browsers");
    if !npm(&folder, &["ci"])? {
        return Ok(Verdict::Failed(String::from("npm cannot install what the tests are run by; see above")));
    }
    let mut tests = Command::new("npm");
    tests.arg("test").current_dir(&folder);
    if extent == Extent::Long {
        tests.env(LONG, "1");
    }
    Ok(if process::show(&mut tests)? {
        Verdict::Passed(String::from(
            "it works in Chromium, on WebGPU and without, and in Firefox where that is",
        ))
    } else {
        Verdict::Failed(String::from("a test in a browser failed; see above"))
    })
}

/// Builds the module, the package around it and the demo; each build checks its types.
fn build(project: &Project, install: Install) -> Result<Verdict> {
    if let Err(skipped) = test::ready(&setup::NODE, install) {
        return Ok(skipped);
    }
    let failed = |what: &str| Ok(Verdict::Failed(format!("{what}; see above")));
    let (mut modules, mut builds) = (Vec::new(), Vec::new());
    for module in [&ONE_THREAD, &THREADS] {
        let way = match test::ready(module.needs, install) {
            Ok(way) => way,
            Err(skipped) => return Ok(skipped),
        };
        let (build, compiled) = compiling(project, module, way)?;
        builds.push(build);
        modules.push((module, compiled));
    }
    println!("web: compiling {} and {}", ONE_THREAD.what, THREADS.what);
    // Each lies in a target folder of its own, and ends with minutes of work for one core.
    if !process::show_together(&mut builds)? {
        return failed("a module does not compile");
    }
    empty(&project.root.join(MODULE_FOLDER))?;
    for (module, compiled) in modules {
        if !bind(project, module, &compiled)? {
            return failed("a module's JavaScript side cannot be written");
        }
    }
    println!("web: building the package and the demo");
    let folder = project.root.join("web");
    if !npm(&folder, &["ci"])? {
        return failed("npm cannot install what the package is built with");
    }
    if !npm(&folder, &["run", "build", "--workspaces"])? {
        return failed("the package or the demo cannot be built");
    }
    Ok(Verdict::Passed(String::from("the package is in web/package/dist, the demo in web/demo/dist")))
}

fn npm(folder: &Path, words: &[&str]) -> Result<bool> {
    process::show(Command::new("npm").args(words).current_dir(folder))
}

/// What compiles a module, and where it then is.
fn compiling(project: &Project, module: &Module, way: &Way) -> Result<(Command, PathBuf)> {
    let mut command = project.cargo();
    command.args(["build", "--package", "hala-wasm", "--profile", "web", "--target", WASM_TARGET]);
    command.args(module.cargo).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", module.flags);
    let mut target = project.target();
    if !matches!(way.fix, Fix::RustupTarget(_)) {
        target = target.join(module.target);
        wasm::from_source(way, &target, &mut command);
    }
    if let Fix::Debian(_) = way.fix {
        with_rustup_linker(&mut command)?;
    }
    Ok((command, target.join(WASM_TARGET).join("web/hala_wasm.wasm")))
}

/// Debian's compiler comes without a linker for wasm32; the rustup toolchain's does, and needs its own libraries.
fn with_rustup_linker(command: &mut Command) -> Result<()> {
    let sysroot = PathBuf::from(setup::rustc_prints(&["sysroot"])?);
    let host = setup::rustc_prints(&["host-tuple"])?;
    let linker = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    command.env("LD_LIBRARY_PATH", sysroot.join("lib"));
    Ok(())
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("{} cannot be emptied", folder.display()))?;
    }
    Ok(())
}

/// Writes a module's JavaScript side, by a program that is not optimised: it runs for seconds, and its build would take minutes.
fn bind(project: &Project, module: &Module, compiled: &Path) -> Result<bool> {
    println!("web: writing its JavaScript side to {MODULE_FOLDER}");
    let mut command = project.cargo();
    command.args([
        "run",
        "--quiet",
        "--profile",
        "tool",
        "--package",
        "hala-xtask",
        "--features",
        "bindgen",
        "--bin",
        "bindgen",
        "--",
    ]);
    process::show(command.arg(compiled).arg(project.root.join(MODULE_FOLDER)).arg(module.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tests_are_counted_as_playwright_lists_them() {
        let list = "Listing tests:\n  threads.spec.ts:21:1 › all @long\nTotal: 1 test in 1 file\n";
        assert_eq!(n_listed(list), Some(1));
        assert_eq!(n_listed("Total: 12 tests in 3 files"), Some(12));
        assert_eq!(n_listed("Error: no tests found"), None);
    }
}
