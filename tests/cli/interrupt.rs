//! Ctrl-C: what there is stays, what is not finished leaves nothing behind, and the exit code is 130.

#![cfg(unix)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};

use tempfile::tempdir;

use crate::{Done, Hala, demo_folder, hala, names};

const INTERRUPTED: Option<i32> = Some(130);

/// Sends what a terminal sends for Ctrl-C.
fn interrupt(child: &Child) {
    let sent = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status();
    assert!(sent.unwrap().success());
}

/// Waits until something has been written into a file of this folder that is not yet whole.
fn wait_for_output(folder: &Path, child: &mut Child) {
    let has_output = || {
        let entries = folder.read_dir().unwrap().map(|e| e.unwrap());
        let mut unfinished = entries.filter(|e| e.file_name().to_string_lossy().starts_with('.'));
        unfinished.any(|e| e.metadata().is_ok_and(|m| m.len() > 0))
    };
    while !has_output() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was interrupted");
        std::thread::yield_now();
    }
}

/// The plain loops are slow enough for any of these to be far from its end.
fn slow(arguments: &[&str]) -> Hala {
    hala(arguments).arg("--backend").arg("plain")
}

/// Interrupts a run after its first byte of output; that byte is part of what it printed.
fn interrupted(mut child: Child) -> Done {
    let mut stdout = child.stdout.take().unwrap();
    let mut output = vec![0];
    stdout.read_exact(&mut output).unwrap();
    interrupt(&child);
    stdout.read_to_end(&mut output).unwrap();
    Done { stdout: String::from_utf8(output).unwrap(), ..Done::of(child) }
}

#[test]
fn a_generation_ends_with_what_there_is() {
    let run = slow(&["generate", "--prompt", "Good morning.", "--ignore-eos"]);
    let done = interrupted(run.start());
    assert_eq!((done.code, done.stderr.as_str()), (INTERRUPTED, ""));
    assert!(done.stdout.ends_with('\n'), "{done:?}");
}

#[test]
fn a_document_that_is_not_finished_leaves_the_output_as_it_was() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("old.md"), "old").unwrap();
    let text = "Good morning. ".repeat(5000);
    for output in ["old.md", "new.md"] {
        let run = slow(&["translate", &text]).arg("--output").arg(folder.path().join(output));
        let mut child = run.start();
        wait_for_output(folder.path(), &mut child);
        interrupt(&child);
        let done = Done::of(child);
        assert_eq!((done.code, done.stderr.as_str()), (INTERRUPTED, ""));
        assert_eq!(names(folder.path()), ["old.md"]);
        assert_eq!(fs::read_to_string(folder.path().join("old.md")).unwrap(), "old");
    }
}

#[test]
fn waiting_for_the_next_line_ends_and_leaves_nothing() {
    let folder = tempdir().unwrap();
    let mut child = hala(&["translate", "--lines", "--output"]).arg(folder.path().join("out.md")).start();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "Good morning.").unwrap();
    wait_for_output(folder.path(), &mut child);
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), INTERRUPTED);
    assert!(names(folder.path()).is_empty());
    drop(stdin);
}

#[test]
fn a_reply_in_a_script_ends_the_script() {
    let endless = ["chat", "--temperature", "0", "--logit-bias", "7=-inf"];
    let mut child = slow(&endless).model(demo_folder()).start();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "Good morning.").unwrap();
    let done = interrupted(child);
    assert_eq!((done.code, done.stderr.as_str()), (INTERRUPTED, ""));
    assert!(done.stdout.ends_with('\n'), "{done:?}");
    drop(stdin);
}

#[test]
fn a_server_that_does_not_answer_is_left_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let cache = tempdir().unwrap();
    for command in [
        &["pull", "team/model"][..],
        &["inspect", "team/model"],
        &["generate", "--ids", "1", "--model", "team/model"],
        &["logits", "--ids", "1", "--out", "never-written", "--model", "team/model"],
        &["bench", "--model", "team/model"],
    ] {
        let run = hala(command).env("HF_HUB_OFFLINE", "0").env("HF_ENDPOINT", &endpoint);
        let child = run.env("HF_HOME", cache.path()).start();
        // The question has come, and is never answered.
        let question = listener.accept().unwrap();
        interrupt(&child);
        assert_eq!(Done::of(child).code, INTERRUPTED, "{command:?}");
        drop(question);
    }
    assert!(names(cache.path()).is_empty());
}
