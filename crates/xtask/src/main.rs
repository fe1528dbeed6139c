//! Project tasks: `cargo xtask` sets up, tests, checks the house style and remakes fixtures.
//!
//! It is the first thing that a fresh machine builds, so it depends on nothing but `anyhow`, and `syn`, by which tidy reads modules.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks by printing")]

mod android;
mod args;
mod check;
mod extent;
mod ffi;
mod fixtures;
mod kernels;
mod kotlin;
mod manifest;
mod need;
mod needs;
mod outcome;
mod process;
mod project;
mod record;
mod setup;
mod swift;
mod test;
mod tidy;
mod times;
mod verdict;
mod wasm;
mod web;

use std::process::ExitCode;

use anyhow::Result;

use args::{Task, Usage};
use outcome::Outcome;
use project::Project;

const TASKS: &[Task] = &[
    test::TASK,
    check::TASK,
    tidy::TASK,
    wasm::TASK,
    kernels::TASK,
    web::TASK,
    ffi::TASK,
    kotlin::TASK,
    android::TASK,
    swift::TASK,
    setup::TASK,
    fixtures::TASK,
];

fn main() -> ExitCode {
    match dispatch() {
        Ok(Outcome::Good) => ExitCode::SUCCESS,
        Ok(Outcome::Bad) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn dispatch() -> Result<Outcome> {
    let words = args::from_command_line()?;
    let Some((name, rest)) = words.split_first() else {
        print!("{}", overview());
        return Err(Usage::new("no command given; name one of those above").into());
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", overview());
        return Ok(Outcome::Good);
    }
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        let known: Vec<_> = TASKS.iter().map(|task| task.name).collect();
        return Err(Usage::new(format!("unknown command `{name}`; known: {}", known.join(", "))).into());
    };
    if args::asks_for_help(rest) {
        print!("{}", task.help);
        return Ok(Outcome::Good);
    }
    (task.run)(&Project::find()?, rest)
}

fn overview() -> String {
    let mut text = String::from("Project tasks.\n\nUsage: cargo xtask COMMAND [OPTIONS]\n\nCommands:\n");
    for task in TASKS {
        text.push_str(&format!("  {:<9} {}\n", task.name, task.about));
    }
    text.push_str("\n`cargo xtask COMMAND --help` says more.\n");
    text
}
