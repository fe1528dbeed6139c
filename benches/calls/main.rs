//! Times the same calls from Rust, from C and from Python, in rounds: what the native library's interface costs.
//!
//! `cargo xtask ffi`, then `cargo run --release -p hala-benches --bin calls -- [tokenize|translate]… [--rounds N] [--library FILE]`
//!
//! The library is the packed one, since cargo's own is made without optimisation at link time. It needs `cc` and `python3`. Each has an engine of its own with the built-in model, and they take turns, so that what else the machine does is shared.
#![allow(clippy::print_stdout, reason = "a bench prints what it measures")]

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use hala::{Bos, Cancel, Shared, SpecialsIn, TranslateRequest, blocking};
use hala_benches::timing::middle;

/// A call that is timed.
#[derive(Debug, Clone, Copy)]
struct Call {
    name: &'static str,
    text: &'static str,
    /// How many a round.
    n: u32,
}

const CALLS: [Call; 2] = [
    Call { name: "tokenize", text: "Good morning. How are you? صباح الخير.", n: 10_000 },
    Call { name: "translate", text: "Good morning. How are you? I am fine, thanks.", n: 50 },
];

fn main() -> Result<()> {
    let (mut names, mut n_rounds) = (Vec::new(), 9);
    let mut library = root().join("target/ffi/lib").join(format!("{DLL_PREFIX}hala{DLL_SUFFIX}"));
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--rounds" => n_rounds = args.next().context("a number is missing")?.parse()?,
            "--library" => library = args.next().context("a file is missing")?.into(),
            name if CALLS.iter().any(|call| call.name == name) => names.push(arg),
            _ => bail!("{arg} is not known; the first lines of benches/calls/main.rs have what is"),
        }
    }
    let program = compile(&library)?;
    let runtime = Shared::new(blocking::Runtime::built_in()?.into_inner());
    println!(
        "| call | Rust, µs | C, µs | Python, µs | C / Rust | Python / Rust |\n|---|---|---|---|---|---|"
    );
    for call in CALLS.iter().filter(|call| names.is_empty() || names.iter().any(|name| name == call.name)) {
        let mut clients = [Client::c(&program, &library, *call)?, Client::python(&library, *call)?];
        println!("{}", row(*call, &runtime, &mut clients, n_rounds)?);
    }
    Ok(())
}

/// Rounds of a call, of which the first is left out, as a row of the table: medians, and medians of the rounds' ratios.
fn row(call: Call, runtime: &Shared, clients: &mut [Client; 2], n_rounds: usize) -> Result<String> {
    let mut rounds = Vec::new();
    for _ in 0..=n_rounds {
        let rust = rust(runtime, call)?;
        rounds.push([rust, clients[0].round()?, clients[1].round()?]);
    }
    let of = |value: &dyn Fn(&[f64; 3]) -> f64| middle(rounds[1..].iter().map(value).collect());
    let times = [0, 1, 2].map(|i| of(&|round| round[i] / 1e3));
    let ratios = [1, 2].map(|i| of(&|round| round[i] / round[0]));
    let [rust, c, python] = times.map(|time| format!("{time:.2}"));
    Ok(format!("| {} | {rust} | {c} | {python} | {:.3} | {:.3} |", call.name, ratios[0], ratios[1]))
}

/// Nanoseconds of one call from Rust.
fn rust(runtime: &Shared, call: Call) -> Result<f64> {
    let began = Instant::now();
    for _ in 0..call.n {
        if call.name == "tokenize" {
            runtime.current()?.tokenize(call.text, Bos::Auto, SpecialsIn::Text)?;
        } else {
            for output in runtime.translate(&TranslateRequest::new(call.text), &Cancel::new())? {
                output?;
            }
        }
    }
    Ok(began.elapsed().as_nanos() as f64 / f64::from(call.n))
}

/// A program that times a call each time it is asked.
struct Client {
    child: Child,
    told: BufReader<ChildStdout>,
}

impl Client {
    fn c(program: &Path, library: &Path, call: Call) -> Result<Self> {
        let mut command = Command::new(program);
        command.env("LD_LIBRARY_PATH", library.parent().unwrap_or(Path::new(".")));
        Self::start(command, call)
    }

    fn python(library: &Path, call: Call) -> Result<Self> {
        let mut command = Command::new("python3");
        command.arg(root().join("benches/calls/calls.py"));
        command.env("HALA_LIBRARY", library).env("PYTHONPATH", root().join("crates/ffi/python"));
        Self::start(command, call)
    }

    fn start(mut command: Command, call: Call) -> Result<Self> {
        command.args([call.name, call.text, &call.n.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{command:?} cannot be started"))?;
        let told = child.stdout.take().context("its output is not there")?;
        Ok(Self { child, told: BufReader::new(told) })
    }

    /// Nanoseconds of one call.
    fn round(&mut self) -> Result<f64> {
        let mut line = String::new();
        writeln!(self.child.stdin.as_mut().context("its input is not there")?)?;
        self.told.read_line(&mut line)?;
        line.trim().parse().with_context(|| format!("a client told {line:?} in place of a time"))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
}

/// Compiles the client in C beside the library.
fn compile(library: &Path) -> Result<PathBuf> {
    ensure!(library.is_file(), "{} is not there: `cargo xtask ffi` makes it", library.display());
    let program = std::env::current_exe()?.with_file_name("calls-c");
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror"]).arg(root().join("benches/calls/calls.c"));
    cc.arg("-I").arg(root().join("crates/ffi/include")).arg("-o").arg(&program).arg(library);
    ensure!(cc.status().context("cc cannot be started")?.success(), "cc failed, see above");
    Ok(program)
}
