//! Running other programs: shown live, and read at the same time.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// How a program ended, with what it wrote.
pub(crate) struct Finished {
    pub(crate) success: bool,
    pub(crate) output: String,
}

/// Runs `command` to its end with the terminal's own output; true when it succeeded.
pub(crate) fn show(command: &mut Command) -> Result<bool> {
    let status = command.stdin(Stdio::null()).status();
    Ok(status.with_context(|| format!("{} cannot be started", name(command)))?.success())
}

/// Runs commands beside each other to their ends, with the terminal's own output; which of them succeeded.
pub(crate) fn show_together<'a>(commands: impl IntoIterator<Item = &'a mut Command>) -> Result<Vec<bool>> {
    let started: Vec<_> = commands.into_iter().map(|command| start(command.stdin(Stdio::null()))).collect();
    // Those that have started are waited for, whatever became of others.
    let ended: Vec<_> = started
        .into_iter()
        .map(|child| {
            child.and_then(|mut child| child.wait().context("a started program cannot be waited for"))
        })
        .collect();
    ended.into_iter().map(|status| Ok(status?.success())).collect()
}

/// Runs `command` silently and returns both of its outputs together.
pub(crate) fn read(command: &mut Command) -> Result<Finished> {
    let done = command.stdin(Stdio::null()).output();
    let done = done.with_context(|| format!("{} cannot be started", name(command)))?;
    let mut output = String::from_utf8_lossy(&done.stdout).into_owned();
    output.push_str(&String::from_utf8_lossy(&done.stderr));
    Ok(Finished { success: done.status.success(), output })
}

/// Runs `command`, passes both of its outputs on as they come, in that order, and returns them as well.
pub(crate) fn tee(command: &mut Command) -> Result<Finished> {
    tee_to(command, std::io::stdout())
}

fn tee_to(command: &mut Command, to: impl Write) -> Result<Finished> {
    // One pipe for both: two would be read in any order.
    let (reader, writer) = std::io::pipe().context("no pipe can be made")?;
    let other = writer.try_clone().context("a pipe cannot be shared")?;
    let child = start(command.stdin(Stdio::null()).stdout(other).stderr(writer));
    // The command holds the pipe's other end, which must close for reading to end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let child = child?;
    let output = pump(Some(reader), to);
    finish(child, output)
}

/// Runs `command`, passes its standard error on as it comes and returns it as well.
pub(crate) fn tee_stderr(command: &mut Command) -> Result<Finished> {
    let mut child = start(command.stdin(Stdio::null()).stderr(Stdio::piped()))?;
    let output = pump(child.stderr.take(), std::io::stderr());
    finish(child, output)
}

fn start(command: &mut Command) -> Result<Child> {
    command.spawn().with_context(|| format!("{} cannot be started", name(command)))
}

fn finish(mut child: Child, output: String) -> Result<Finished> {
    let status = child.wait().context("a started program cannot be waited for")?;
    Ok(Finished { success: status.success(), output })
}

/// Copies chunk by chunk, not line by line: a test's name shows before its result does.
/// A screen that went away (`| head`) does not stop the reading, or the program would hang on a full pipe.
fn pump(from: Option<impl Read>, mut to: impl Write) -> String {
    let mut all = Vec::new();
    let mut chunk = [0; 8192];
    let Some(mut from) = from else { return String::new() };
    loop {
        match from.read(&mut chunk) {
            Ok(0) => break,
            Ok(n_bytes) => {
                let _ = to.write_all(&chunk[..n_bytes]).and_then(|()| to.flush());
                all.extend_from_slice(&chunk[..n_bytes]);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    without_colours(&String::from_utf8_lossy(&all))
}

/// Removes terminal colour sequences (`ESC [ … letter`).
pub(crate) fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            chars.by_ref().skip(1).find(|c| c.is_ascii_alphabetic());
        } else {
            plain.push(c);
        }
    }
    plain
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_removed() {
        assert_eq!(without_colours("test result: \x1b[32mok\x1b[0m. 1 passed"), "test result: ok. 1 passed");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = show(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(error.to_string().contains("no-such-program-here"));
    }

    #[cfg(unix)]
    #[test]
    fn both_outputs_are_passed_on_in_order() {
        let words = "echo one; echo two >&2; echo three; exit 3";
        let mut shown = Vec::new();
        let done = tee_to(Command::new("sh").args(["-c", words]), &mut shown).unwrap();
        assert_eq!((done.output.as_str(), done.success), ("one\ntwo\nthree\n", false));
        assert_eq!(shown, b"one\ntwo\nthree\n");
    }

    #[test]
    fn of_commands_beside_each_other_each_tells_how_it_ended() {
        let commands = |words: [&str; 2]| {
            words.map(|word| {
                let mut command = Command::new("rustc");
                command.arg(word).stdout(Stdio::null()).stderr(Stdio::null());
                command
            })
        };
        assert_eq!(show_together(&mut commands(["--version", "-V"])).unwrap(), [true, true]);
        assert_eq!(show_together(&mut commands(["--no-such-option", "-V"])).unwrap(), [false, true]);
        assert!(show_together(&mut [Command::new("no-such-program-here")]).is_err());
    }

    #[test]
    fn both_outputs_are_read() {
        let done = read(Command::new("rustc").arg("--no-such-option")).unwrap();
        assert!(!done.success && done.output.contains("no-such-option"));
    }
}
