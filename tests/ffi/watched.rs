//! The same programs with something that watches them: each access to memory, each byte that is left behind, each race of two threads.

use std::process::{Command, Stdio};

use crate::client::Client;
use crate::compiler::{Watch, tell};
use crate::programs::{ALL, ANSWERS, CANCEL, LOG, Program, THREADS};

#[track_caller]
fn under(watch: Watch, program: Program) {
    if let Some(client) = Client::of(program.source, watch) {
        program.run(client.short());
    }
}

#[test]
fn address_sanitizer_finds_nothing() {
    ALL.into_iter().for_each(|program| under(Watch::Addresses, program));
    for example in ["translate.c", "chat.c", "batch.c", "translate.cpp"] {
        if let Some(client) = Client::of(&format!("crates/ffi/examples/{example}"), Watch::Addresses) {
            client.run();
        }
    }
}

#[test]
fn thread_sanitizer_finds_no_race_of_a_client_s_threads() {
    [THREADS, CANCEL].into_iter().for_each(|program| under(Watch::Threads, program));
}

/// Whether valgrind is there; told where it is not.
fn has_valgrind() -> bool {
    let mut command = Command::new("valgrind");
    let is_there =
        command.arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if !is_there {
        tell("skipped: `valgrind` is not here; `cargo xtask setup` installs it where it can");
    }
    is_there
}

#[track_caller]
fn under_valgrind(program: Program) {
    if let Some(client) = Client::under_valgrind(program.source) {
        program.run(client.short().alone());
    }
}

#[test]
fn valgrind_finds_nothing() {
    if has_valgrind() {
        [ANSWERS, LOG].into_iter().for_each(under_valgrind);
    }
}

#[test]
#[ignore = "long: every program, fifty times as slow"]
fn valgrind_finds_nothing_in_any_program() {
    if has_valgrind() {
        ALL.into_iter().for_each(under_valgrind);
    }
}
