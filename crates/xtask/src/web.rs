//! The package for browsers: the modules compiled and given their JavaScript sides, TypeScript around them, the demo, tests in Chromium.

mod module;
mod npm;
mod threads_target;

use std::process::Command;

use anyhow::Result;

use crate::args::{Task, Usage};
use crate::extent::Extent;
use crate::need::Install;
use crate::needs;
use crate::outcome::Outcome;
use crate::process;
use crate::project::Project;
use crate::times::Times;
use crate::verdict::{Verdict, ready};
use module::{Compilation, Module, ONE_THREAD, THREADS};

pub(crate) const TASK: Task = Task {
    name: "web",
    about: "build the package for browsers and the demo, or serve the demo",
    help: "\
Compiles crates/wasm for wasm32 in release, once for one thread or a GPU and once for several threads, writes the JavaScript sides to
web/package/wasm, builds the npm package into web/package/dist, and the demo into web/demo/dist. Says how long that takes, and at the
end what took it. What has not changed is not built again: npm installs where a lock file has changed, a JavaScript side is written
where its module has. Compiles the standard library along, for its size, from the source that rustup has, or Debian where
rustup cannot get it.

Usage: cargo xtask web [--one-thread] [--serve] [--no-install]

  --one-thread  leave the module for several threads out: the quickest way to a page. The package then computes on one thread or
                the GPU, and says so in the console of a page that could have threads
  --serve       then serve the demo at localhost until Ctrl+C, and print its address
  --no-install  install nothing on this machine; npm still installs into the project
",
    run,
};

/// The variable by which the tests in browsers that are marked `@long` are run too.
const LONG: &str = "HALA_LONG";

/// The step of `cargo xtask test`, in a word or two.
pub(crate) const TESTED: &str = "the package in a browser";

/// What the words ask for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    install: Install,
    modules: Modules,
    serves: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Modules {
    OneThread,
    All,
}

impl Modules {
    fn list(self) -> &'static [&'static Module] {
        match self {
            Modules::OneThread => &[&ONE_THREAD],
            Modules::All => &[&ONE_THREAD, &THREADS],
        }
    }
}

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    let Options { install, modules, serves } = parse(words)?;
    let mut times = Times::default();
    let built = build(project, modules.list(), install, &mut times)?;
    let is_built = matches!(built, Verdict::Passed(_));
    let outcome = built.report();
    print!("{}", times.in_order());
    if is_built && serves {
        process::show(&mut npm::run("serve", "hala-demo", &project.root))?;
    }
    Ok(outcome)
}

fn parse(words: &[String]) -> Result<Options, Usage> {
    let mut options = Options { install: Install::Allowed, modules: Modules::All, serves: false };
    for word in words {
        match word.as_str() {
            "--no-install" => options.install = Install::Forbidden,
            "--one-thread" => options.modules = Modules::OneThread,
            "--serve" => options.serves = true,
            _ => return Err(Usage::unknown("web", word)),
        }
    }
    Ok(options)
}

/// Builds the package and tests it in a browser; skipped where something for that cannot be had.
pub(crate) fn verdict(
    project: &Project,
    install: Install,
    extent: Extent,
    times: &mut Times,
) -> Result<Verdict> {
    if let Err(skipped) = ready(&needs::BROWSER, install) {
        return Ok(skipped);
    }
    if let Err(Verdict::Skipped { why, remedy }) = ready(&needs::FIREFOX, install) {
        println!("web: no test in Firefox: {why}; run: {remedy}");
    }
    let built = build(project, Modules::All.list(), install, times)?;
    if !matches!(built, Verdict::Passed(_)) {
        return Ok(built);
    }
    times.take(TESTED, || test_in_browsers(project, extent))
}

/// The tests in browsers that are left to `--long`, once what runs them is installed; 0 where Playwright lists none.
pub(crate) fn n_long(project: &Project) -> usize {
    let mut list = Command::new("npx");
    list.args(["playwright", "test", "--list", "--grep", "@long"]).env(LONG, "1");
    let listed = process::read(list.current_dir(project.root.join(npm::TESTS.folder)));
    listed.ok().and_then(|listed| n_listed(&listed.output)).unwrap_or(0)
}

/// `Total: 3 tests in 2 files`, the last line of Playwright's list.
fn n_listed(output: &str) -> Option<usize> {
    let total = output.lines().rev().find_map(|line| line.strip_prefix("Total: "))?;
    total.split(' ').next()?.parse().ok()
}

/// Tests the package that is built.
fn test_in_browsers(project: &Project, extent: Extent) -> Result<Verdict> {
    println!("web: testing the package in browsers");
    if !npm::TESTS.install(&project.root)? {
        return Ok(Verdict::Failed(String::from("npm cannot install what the tests are run by; see above")));
    }
    let mut tests = npm::npm(&project.root.join(npm::TESTS.folder), &["test"]);
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

/// Builds the modules, the package around them and the demo; each build checks its types.
fn build(
    project: &Project,
    modules: &[&'static Module],
    install: Install,
    times: &mut Times,
) -> Result<Verdict> {
    let mut compilations = match times.take("set-up", || set_up(project, modules, install))? {
        Ok(compilations) => compilations,
        Err(skipped) => return Ok(skipped),
    };
    let is_compiled = compilations.iter().all(|compilation| compilation.compiled.is_file());
    println!("web: {}", time_to_expect(modules.len(), is_compiled));
    let failed = |what: &str| Ok(Verdict::Failed(format!("{what}; see above")));
    if let Some(names) = compile(project, &mut compilations, times)? {
        return failed(&format!("not built: {names}"));
    }
    for Compilation { module, compiled, .. } in &compilations {
        if !times.take(module::BINDING, || module.bind(project, compiled))? {
            return failed("a module's JavaScript side cannot be written");
        }
    }
    module::leave_only(&project.root, modules)?;
    for (what, workspace) in [("the package", "hala-web"), ("the demo", "hala-demo")] {
        println!("web: building {what}");
        if !times.take(what, || process::show(&mut npm::run("build", workspace, &project.root)))? {
            return failed(&format!("{what} cannot be built"));
        }
    }
    Ok(Verdict::Passed(String::from("the package is in web/package/dist, the demo in web/demo/dist")))
}

/// Gets what the build needs, and says how the modules are compiled; a verdict where something cannot be had.
fn set_up(
    project: &Project,
    modules: &[&'static Module],
    install: Install,
) -> Result<Result<Vec<Compilation>, Verdict>> {
    if let Err(skipped) = ready(&needs::NODE, install) {
        return Ok(Err(skipped));
    }
    match ready(&needs::WASM_SOURCE, install) {
        Ok(way) => {
            Ok(Ok(modules.iter().map(|module| module.compilation(project, way)).collect::<Result<_>>()?))
        }
        Err(skipped) => Ok(Err(skipped)),
    }
}

/// What to tell somebody who waits. The figures are of two cores, as benches/runs/2026-11-30-web-setup.md has them, rounded up.
fn time_to_expect(n_modules: usize, is_compiled: bool) -> String {
    if is_compiled {
        return String::from(
            "only what has changed is built again: seconds where it is TypeScript, about a minute a module where it is Rust",
        );
    }
    let minutes = if n_modules == 1 { "2 minutes" } else { "3 minutes" };
    format!("the first time this takes about {minutes} on two cores, and what the network takes")
}

/// Compiles the program that writes JavaScript, beside npm, which waits for the network, and then the modules, one after the other: they share
/// what is built for this machine, and cargo would tell of waiting for itself. Names what failed.
fn compile(project: &Project, compilations: &mut [Compilation], times: &mut Times) -> Result<Option<String>> {
    let mut bindgen = module::building_bindgen(project);
    let mut steps = vec![("the program that writes JavaScript", &mut bindgen)];
    let mut installing = npm::WEB.missing(&project.root)?;
    steps.extend(installing.as_mut().map(|(command, _)| ("what npm installs", command)));
    if let Some(names) = together(steps, times)? {
        return Ok(Some(names));
    }
    if let Some((_, record)) = installing {
        record.write()?;
    }
    for Compilation { module, command, .. } in compilations {
        if let Some(name) = together(vec![(module.what, command)], times)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Does steps beside each other, and names those that failed.
fn together(steps: Vec<(&str, &mut Command)>, times: &mut Times) -> Result<Option<String>> {
    let (names, commands): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
    let all = names.join(", ");
    println!("web: building {all}");
    let good = times.take(&all, || process::show_together(commands))?;
    let bad: Vec<_> =
        names.into_iter().zip(good).filter_map(|(name, good)| (!good).then_some(name)).collect();
    Ok((!bad.is_empty()).then(|| bad.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn all_modules_are_built_unless_one_is_asked_for() {
        let options = parse(&words("--one-thread --serve --no-install")).unwrap();
        let asked = Options { install: Install::Forbidden, modules: Modules::OneThread, serves: true };
        assert_eq!(options, asked);
        let names = |modules: Modules| modules.list().iter().map(|module| module.name).collect::<Vec<_>>();
        assert_eq!(names(options.modules), ["hala_wasm"]);
        assert_eq!(names(parse(&[]).unwrap().modules), ["hala_wasm", "hala_wasm_threads"]);
        assert!(parse(&words("--one-thred")).unwrap_err().to_string().contains("--one-thred"));
    }

    #[test]
    fn who_waits_is_told_for_how_long() {
        assert!(time_to_expect(1, false).contains("about 2 minutes"));
        assert!(time_to_expect(2, false).contains("about 3 minutes"));
        assert!(time_to_expect(2, true).contains("seconds"));
    }

    #[test]
    fn long_tests_are_counted_as_playwright_lists_them() {
        let list = "Listing tests:\n  threads.spec.ts:21:1 › all @long\nTotal: 1 test in 1 file\n";
        assert_eq!(n_listed(list), Some(1));
        assert_eq!(n_listed("Total: 12 tests in 3 files"), Some(12));
        assert_eq!(n_listed("Error: no tests found"), None);
    }
}
