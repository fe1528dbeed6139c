//! The `hala` command as a user runs it: what it prints, how it ends, and what it leaves behind.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod backends;
mod bad_input;
mod bench;
mod chat;
mod checkpoint;
mod closed_output;
mod completions;
mod compress;
mod convert;
mod damaged;
mod data;
mod defaults;
mod devices;
mod documents;
mod generate;
mod help;
mod idle;
mod inspect;
mod interrupt;
mod lfm3_page;
mod logits;
mod merge;
mod profile;
mod pull;
#[path = "../../crates/weights/tests/hub/server.rs"]
mod server;
mod thinking;
mod tokenize;
mod tokenizer;
mod trace;
mod train;
mod translate;
mod translation_report;
mod tune;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Settings of the person who runs the tests, which would change what the command does.
const FOREIGN: [&str; 11] = [
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "HF_HUB_CACHE",
    "HF_TOKEN",
    "HF_TOKEN_PATH",
    "NO_COLOR",
    "RAYON_NUM_THREADS",
    "RUST_BACKTRACE",
    "XDG_CACHE_HOME",
    // Nor a display: nothing may say that there is none.
    "XDG_RUNTIME_DIR",
];

/// One run of the command: no home, no token and no network unless a test gives them.
struct Hala {
    command: Command,
    input: Option<Vec<u8>>,
}

/// A run with these arguments.
fn hala(arguments: &[&str]) -> Hala {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hala"));
    let nowhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-such-home");
    for name in FOREIGN {
        command.env_remove(name);
    }
    command.env("HOME", &nowhere).env("HF_HOME", nowhere.join("hf"));
    // Nothing listens on port 9 of this machine.
    command.env("HF_ENDPOINT", "http://127.0.0.1:9").env("HF_HUB_OFFLINE", "1");
    // Software devices compile kernels for seconds, and keep them here; without a home they would do so in every run.
    command.env("MESA_SHADER_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("kernels"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Hala { command, input: None }
}

impl Hala {
    fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    fn model(self, model: impl AsRef<OsStr>) -> Self {
        self.arg("--model").arg(model)
    }

    fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What comes in on standard input, to its end.
    fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = Some(bytes.into());
        self
    }

    /// Runs to the end.
    fn run(mut self) -> Done {
        let Some(input) = self.input.take() else { return Done::of(self.command.spawn().unwrap()) };
        let mut child = self.command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that refuses its arguments does not read.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let done = Done::of(child);
        writer.join().unwrap();
        done
    }

    /// Starts, with all three streams in the test's hands.
    fn start(mut self) -> Child {
        self.command.stdin(Stdio::piped()).spawn().unwrap()
    }
}

/// How a run ended.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    stdout: String,
    /// Without the notice that the CPU runs the model, which depends on the machine.
    stderr: String,
    /// How often that notice came.
    n_on_cpu: usize,
}

impl Done {
    fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let is_notice = |line: &&str| line.starts_with("running on the CPU: ");
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            n_on_cpu: stderr.lines().filter(is_notice).count(),
            stderr: stderr.split_inclusive('\n').filter(|line| !is_notice(line)).collect(),
        }
    }

    /// What a run that succeeded printed.
    #[track_caller]
    fn text(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// What a run that succeeded printed, as the one line of JSON that it must be.
    #[track_caller]
    fn json(self) -> Value {
        let text = self.text();
        assert_eq!(text.find('\n'), Some(text.len() - 1), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Checks that the run was refused as bad input, with a message that has all of `faults` in it.
    #[track_caller]
    fn refused(&self, faults: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{self:?}");
        self.blames(faults);
    }

    /// Checks the message on standard error.
    #[track_caller]
    fn blames(&self, faults: &[&str]) {
        assert!(self.stderr.starts_with("error: "), "{self:?}");
        let missing: Vec<_> = faults.iter().filter(|fault| !self.stderr.contains(**fault)).collect();
        assert!(missing.is_empty(), "{missing:?} is not in {self:?}");
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("fault in hala"), "{self:?}");
    }
}

/// The built-in model as a folder.
fn demo_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo-model/files")
}

/// Sentences with the reference implementation's translations, one object a line.
fn golden() -> Vec<Value> {
    let text = std::fs::read_to_string(demo_folder().join("golden.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
