//! A process that waits for input uses no processor.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::thread::sleep;
use std::time::Duration;

use crate::hala;

/// How long the process is watched, and how long its threads have to fall asleep before.
const WATCHED: Duration = Duration::from_millis(1500);
const FALLING_ASLEEP: Duration = Duration::from_millis(300);

/// Ticks of 10 ms: one thread that spins would use 150.
const MOST_TICKS: u64 = 2;

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
    sleep(FALLING_ASLEEP);
    let before = ticks(child.id());
    sleep(WATCHED);
    let used = ticks(child.id()) - before;
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert!(before > 0 && used <= MOST_TICKS, "{used} ticks while idle, {before} before");
}
