//! `cargo xtask setup`: what the tests need beyond cargo, found or installed.

use anyhow::Result;

use crate::args::{self, Task};
use crate::need::{Install, State, ensure};
use crate::needs;
use crate::outcome::Outcome;
use crate::project::Project;

pub(crate) const TASK: Task = Task {
    name: "setup",
    about: "install what the tests need and this machine lacks",
    help: "\
Looks for what the tests need beyond cargo and installs what is missing: a rustup target where rustup is
there, Debian packages where apt-get is and you are root. What it cannot install it names, with the command
to run. `cargo xtask test` does the same before it tests.

Usage: cargo xtask setup
",
    run,
};

fn run(_: &Project, words: &[String]) -> Result<Outcome> {
    args::none("setup", words)?;
    let mut outcome = Outcome::Good;
    for need in needs::TESTS.iter().chain(needs::OTHERS.iter().copied()) {
        match ensure(need, Install::Allowed) {
            State::Ready(_) => println!("ready    {}", need.name),
            State::Missing { why, remedy } => {
                println!("missing  {}, needed {}: {why}\n         run: {remedy}", need.name, need.why);
                outcome = Outcome::Bad;
            }
        }
    }
    Ok(outcome)
}
