//! A client as it is run: with no home, no token, no network and no GPU unless a test gives them.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::compiler::{self, Watch};

/// The folder of the header as it is today.
pub(crate) const HEADER: &str = "crates/ffi/include";

/// Settings of the person who runs the tests, and of cargo, which names the folder of an earlier build's library before that of this one.
const FOREIGN: [&str; 8] = [
    "DYLD_FALLBACK_LIBRARY_PATH",
    "HF_HUB_CACHE",
    "HF_TOKEN",
    "HF_TOKEN_PATH",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
];

/// One run of a client.
pub(crate) struct Client {
    command: Command,
    what: String,
}

impl Client {
    /// A run of the program that is made of a source, against the header of today; `None` where no compiler is there.
    pub(crate) fn of(source: &str, watch: Watch) -> Option<Self> {
        Self::with_header(source, HEADER, watch)
    }

    /// The same against the header in another folder.
    pub(crate) fn with_header(source: &str, header: &str, watch: Watch) -> Option<Self> {
        let program = compiler::compiled(source, header, watch)?;
        Some(Self::run_of(Command::new(program), source))
    }

    /// The same under valgrind.
    pub(crate) fn under_valgrind(source: &str) -> Option<Self> {
        let program = compiler::compiled(source, HEADER, Watch::Nothing)?;
        let mut command = Command::new("valgrind");
        command.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]);
        command.args(["--errors-for-leak-kinds=definite", "--show-leak-kinds=definite"]).arg(program);
        Some(Self::run_of(command, source))
    }

    fn run_of(mut command: Command, what: &str) -> Self {
        let nowhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-such-home");
        for name in FOREIGN {
            command.env_remove(name);
        }
        command.env("HOME", &nowhere).env("HF_HOME", nowhere.join("hf"));
        // Nothing listens on port 9 of this machine.
        command.env("HF_ENDPOINT", "http://127.0.0.1:9").env("HF_HUB_OFFLINE", "1");
        // Drivers that play a GPU are no subject here, and what they leave behind is not the library's.
        command.env("VK_DRIVER_FILES", "/dev/null").env("VK_ICD_FILENAMES", "/dev/null");
        // Rust is not watched, so that what it does with memory between threads is not seen in full.
        command.env("TSAN_OPTIONS", "ignore_noninstrumented_modules=1");
        command.env("UBSAN_OPTIONS", "print_stacktrace=1");
        command.stdin(Stdio::null());
        Self { command, what: what.to_owned() }
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Does less of the same, for what takes fifty times as long.
    pub(crate) fn short(self) -> Self {
        self.env("HALA_TEST_SHORT", "1")
    }

    /// Computes with one thread.
    pub(crate) fn alone(self) -> Self {
        self.env("HALA_TEST_THREADS", "1")
    }

    /// Runs to the end, which must be a good one, and gives what it printed.
    #[track_caller]
    pub(crate) fn run(mut self) -> String {
        let Output { status, stdout, stderr } = self.command.output().unwrap();
        let (said, errors) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success(), "{} ended with {status}:\n{said}{errors}", self.what);
        said.into_owned()
    }
}
