//! `cargo xtask check`: everything that must hold besides the tests, cheapest first.

use anyhow::Result;

use crate::args::{self, Task};
use crate::outcome::Outcome;
use crate::process;
use crate::project::Project;
use crate::tidy;

pub(crate) const TASK: Task = Task {
    name: "check",
    about: "format, house style, clippy and documentation",
    help: "\
Runs what must hold besides the tests, cheapest first, and stops at the first that fails: the format
(cargo fmt), the house style (cargo xtask tidy), clippy over all targets, and the documentation, with every
warning an error.

Usage: cargo xtask check
",
    run,
};

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    args::none("check", words)?;
    if !step(project, "the format", &["fmt", "--all", "--check"], "run `cargo fmt --all`")? {
        return Ok(Outcome::Bad);
    }
    if tidy::check(project)? == Outcome::Bad {
        return Ok(Outcome::Bad);
    }
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    if !step(project, "clippy", &clippy, "mend what it names above")? {
        return Ok(Outcome::Bad);
    }
    let doc = ["doc", "--workspace", "--no-deps"];
    let good = step(project, "the documentation", &doc, "mend what rustdoc names above")?;
    Ok(if good { Outcome::Good } else { Outcome::Bad })
}

fn step(project: &Project, name: &str, words: &[&str], remedy: &str) -> Result<bool> {
    println!("check: {name}: cargo {}", words.join(" "));
    let good = process::show(project.cargo().args(words).env("RUSTDOCFLAGS", "-D warnings"))?;
    if !good {
        println!("check: {name} is not in order; {remedy}");
    }
    Ok(good)
}
