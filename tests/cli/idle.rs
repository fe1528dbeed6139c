//! A process that waits for input uses no processor.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::thread::sleep;
use std::time::Duration;

use crate::hala;

/// How long the process is watched at a time.
const WATCHED: Duration = Duration::from_millis(1000);

/// Ticks of 10 ms: one thread that spins would use 100.
const MOST_TICKS: u64 = 2;

/// Times that it is watched until it is idle: on a machine with other work threads fall asleep late, and those that spin never do.
const MOST_TIMES: usize = 60;

/// Ticks of processor time that all threads of a process have used: fields 14 and 15 of its `stat`, counted from behind its name.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    [11, 12].map(|i| fields[i].parse::<u64>().unwrap()).iter().sum()
}

#[test]
fn waiting_for_the_next_line_uses_no_processor() {
    let mut child = hala(&["translate", "--lines", "--threads", "4"]).start();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "Good morning.").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.trim().is_empty());
    let ticks_while_watched = || {
        let before = ticks(child.id());
        sleep(WATCHED);
        ticks(child.id()) - before
    };
    let mut used: Vec<u64> = Vec::new();
    while used.len() < MOST_TIMES && used.last().is_none_or(|n| *n > MOST_TICKS) {
        used.push(ticks_while_watched());
    }
    let total = ticks(child.id());
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert!(total > 0 && used.last().unwrap() <= &MOST_TICKS, "{used:?} ticks while idle, {total} in all");
}
