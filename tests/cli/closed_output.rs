//! Nobody reads standard output any more, as after `| head`: the command ends, and that is no error.

use std::io::Write;

use crate::{Done, Hala, demo_folder, hala};

/// A run whose standard output nobody reads.
fn unread(arguments: &[&str]) -> Hala {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut run = hala(arguments);
    run.command.stdout(writer);
    run
}

#[test]
fn every_command_that_prints_ends_quietly() {
    let demo = demo_folder();
    for command in [
        &["--help"][..],
        &["translate", "Good morning."],
        &["translate", "Good morning.", "--json"],
        &["chat", "--backend", "cpu", "--model", demo.to_str().unwrap()],
        &["generate", "--prompt", "Good"],
        &["generate", "--prompt", "Good", "--json"],
        &["bench", "--prompt", "2", "--generate", "1"],
        &["inspect"],
        &["inspect", "--json"],
        &["tokenize", "Good"],
        &["tokenize", "--decode", "1"],
        &["trace", "--prompt", "Good"],
    ] {
        let done = unread(command).input("hello\n").run();
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{command:?}");
    }
}

#[test]
fn lines_that_come_later_are_not_waited_for() {
    let mut child = unread(&["translate", "--lines"]).start();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "Good morning.").unwrap();
    let done = Done::of(child);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    drop(stdin);
}
