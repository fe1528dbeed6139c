//! How one step of a test run ended.

use crate::need::{self, Install, Need, State, Way};
use crate::outcome::Outcome;

/// How one step of the whole run ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    Passed(String),
    Failed(String),
    Skipped { why: String, remedy: String },
}

impl Verdict {
    /// Prints it, for a task that is one step.
    pub(crate) fn report(self) -> Outcome {
        match self {
            Verdict::Passed(what) => {
                println!("passed: {what}");
                Outcome::Good
            }
            Verdict::Failed(what) => {
                println!("failed: {what}");
                Outcome::Bad
            }
            Verdict::Skipped { why, remedy } => {
                println!("skipped: {why}\n  run: {remedy}");
                Outcome::Bad
            }
        }
    }
}

/// The way in which a need is met, found or installed; a verdict that says what is missing where there is none.
pub(crate) fn ready(need: &Need, install: Install) -> Result<&'static Way, Verdict> {
    match need::ensure(need, install) {
        State::Ready(way) => Ok(way),
        State::Missing { why, remedy } => {
            let why = format!("{} is missing, needed {}: {why}", need.name, need.why);
            Err(Verdict::Skipped { why, remedy })
        }
    }
}
