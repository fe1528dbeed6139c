//! Results, on standard output.

use std::io::{self, ErrorKind, Write};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::failure::OutputClosed;
use crate::terminal;

/// Writes text as it is, and at once.
pub(crate) fn print(text: &str) -> Result<()> {
    terminal::release_notices();
    let mut out = io::stdout().lock();
    checked(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Writes a line.
pub(crate) fn print_line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}

/// Writes text with style codes, which are dropped where they do not belong.
pub(crate) fn print_styled(text: &str) -> Result<()> {
    terminal::release_notices();
    let mut out = anstream::stdout().lock();
    checked(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Writes a value as one line of JSON.
pub(crate) fn print_json(value: &impl Serialize) -> Result<()> {
    print_line(&serde_json::to_string(value).context("cannot write the result as JSON")?)
}

fn checked(result: io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(OutputClosed.into()),
        result => result.context("cannot write to standard output"),
    }
}
