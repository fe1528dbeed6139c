//! How the command ends: errors on standard error, and exit codes.
//!
//! 0: done, or nobody reads the output any more. 1: a fault of this program or of the device. 2: bad input of any
//! kind. 3: done, and with `--strict` some of it is in doubt. 130: stopped by Ctrl-C.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use anyhow::Result;
use hala_compress::CompressError;
use hala_engine::EngineError;
use hala_eval::EvalError;
use hala_plan::BackendError;

use crate::terminal::{ERROR, notice, paint};

const FAULT: u8 = 1;
const BAD_INPUT: u8 = 2;
const IN_DOUBT: u8 = 3;
/// 128 + SIGINT, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// The work was stopped by Ctrl-C; whatever could be shown has been shown.
#[derive(Debug)]
pub(crate) struct Interrupted;

/// Nobody reads standard output any more, as after `| head`.
#[derive(Debug)]
pub(crate) struct OutputClosed;

/// The command ends with this code and has said why.
#[derive(Debug)]
pub(crate) struct AlreadyReported;

/// A step computes something else than it should; the output says which.
#[derive(Debug)]
pub(crate) struct Departed;

/// The work is done, and part of the result is not what was asked for.
#[derive(Debug)]
pub(crate) struct InDoubt;

impl std::fmt::Display for InDoubt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a part of the result is in doubt")
    }
}

impl std::fmt::Display for Departed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a step departs from the plain run")
    }
}

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stopped on request")
    }
}

impl std::fmt::Display for OutputClosed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("standard output was closed")
    }
}

impl std::fmt::Display for AlreadyReported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("see above")
    }
}

impl std::error::Error for Departed {}
impl std::error::Error for InDoubt {}
impl std::error::Error for Interrupted {}
impl std::error::Error for OutputClosed {}
impl std::error::Error for AlreadyReported {}

/// Makes a panic one readable line; it is a fault of this program, and ends it with exit code 1.
pub(crate) fn report_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let payload = info.payload();
        let literal = payload.downcast_ref::<&str>().copied();
        let what =
            literal.or(payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no reason given");
        let what = format!("a fault in hala itself, at {place}: {what}. Please report it with the command");
        print_error(&what);
    }));
}

/// Runs the command, reports its error, and gives the exit code.
pub(crate) fn exit_code(run: impl FnOnce() -> Result<()>) -> ExitCode {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => ExitCode::from(report(&error)),
        Err(_) => ExitCode::from(FAULT),
    }
}

fn report(error: &anyhow::Error) -> u8 {
    if error.is::<OutputClosed>() {
        return 0;
    }
    if error.is::<Departed>() {
        return FAULT;
    }
    if error.is::<InDoubt>() {
        return IN_DOUBT;
    }
    if let Some(stopped @ (CompressError::Cancelled { .. } | CompressError::Stopped)) = error.downcast_ref() {
        notice(&stopped.to_string());
        return INTERRUPTED;
    }
    if is_interruption(error) {
        return INTERRUPTED;
    }
    if !error.is::<AlreadyReported>() {
        print_error(&message(error));
    }
    if error.chain().any(is_fault) { FAULT } else { BAD_INPUT }
}

fn is_interruption(error: &anyhow::Error) -> bool {
    let is_cancelled = |e: &EngineError| e.is_cancelled();
    let is_stopped = |e: &EvalError| matches!(e, EvalError::Engine(e) if e.is_cancelled());
    error.is::<Interrupted>()
        || error.downcast_ref().is_some_and(hala::Error::is_cancelled)
        || error.downcast_ref().is_some_and(is_cancelled)
        || error.downcast_ref().is_some_and(is_stopped)
}

/// Errors that no other input would have avoided.
fn is_fault(error: &(dyn std::error::Error + 'static)) -> bool {
    // An error that is shown as the one within has no place of its own in the chain: each kind is asked for what it holds.
    let is_lost = |e: &EngineError| e.is_device_lost();
    matches!(error.downcast_ref(), Some(BackendError::DeviceLost { .. }))
        || error.downcast_ref().is_some_and(is_lost)
        || matches!(error.downcast_ref(), Some(EvalError::Engine(e)) if e.is_device_lost())
        || error.downcast_ref::<hala::Error>().is_some_and(|error| error.code() == "device-lost")
}

/// The error and its causes; many errors of the libraries quote their cause already.
pub(crate) fn message(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Prints `error: …`; nothing can be done where standard error is closed too.
pub(crate) fn print_error(message: &str) {
    let _ = writeln!(anstream::stderr(), "{} {message}", paint(ERROR, "error:"));
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    fn lost() -> BackendError {
        BackendError::DeviceLost { device: "a GPU".to_owned(), reason: "unplugged".to_owned() }
    }

    #[test]
    fn a_lost_device_is_a_fault_however_it_is_wrapped() {
        let engine = || EngineError::from(lost());
        for error in [
            lost().into(),
            engine().into(),
            EvalError::from(engine()).into(),
            hala::Error::from(lost()).into(),
            hala::Error::from(engine()).into(),
            hala::Error::Lost.into(),
        ] {
            let error: anyhow::Error = error;
            assert_eq!(report(&error), FAULT, "{error:?}");
            let told = Err::<(), _>(error).context("while it ran").unwrap_err();
            assert_eq!(report(&told), FAULT, "{told:?}");
        }
    }

    #[test]
    fn what_other_input_avoids_is_none() {
        for error in [EngineError::EmptyPrompt.into(), hala::Error::from(EngineError::MemoryFull).into()] {
            assert_eq!(report(&error), BAD_INPUT, "{error:?}");
        }
    }
}
