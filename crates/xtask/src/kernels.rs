//! The tests of the CPU kernels for machines other than this one.

use std::process::Command;

use anyhow::Result;

use crate::args::{Task, Usage};
use crate::need::{Install, Need};
use crate::needs::{self, AARCH64_TARGET, WASI_TARGET};
use crate::outcome::Outcome;
use crate::process;
use crate::project::Project;
use crate::verdict::{Verdict, ready};

pub(crate) const TASK: Task = Task {
    name: "kernels",
    about: "test the CPU kernels of WebAssembly and aarch64",
    help: "\
Tests the kernels of the CPU backend for machines other than this one, on odd shapes against sums in f64: those for WebAssembly in
Node.js, those for aarch64 in QEMU. `cargo xtask test` does the first of them, and with --long the second.

Usage: cargo xtask kernels [wasm] [aarch64] [--no-install]

  --no-install    skip what is missing rather than install anything
",
    run,
};

/// What the tests of WebAssembly's kernels are called in a summary.
pub(crate) const TESTED: &str = "the CPU kernels in WebAssembly";

/// Those that are left to `cargo xtask test --long`, because QEMU takes its time.
pub(crate) const LEFT_OUT: &str = "the CPU kernels for aarch64";

/// A machine that is played by another program.
struct Machine {
    name: &'static str,
    target: &'static str,
    needs: &'static [&'static Need],
    /// Prepares cargo's call.
    set_up: fn(&Project, &mut Command),
    /// Which tests run: threads are not in WebAssembly without an agreement on them.
    filter: &'static [&'static str],
}

const WASM: Machine = Machine {
    name: "wasm",
    target: WASI_TARGET,
    needs: &[&needs::WASI, &needs::NODE],
    set_up: |project, command| {
        let runner = project.root.join("tests/wasi.mjs");
        command.env("CARGO_TARGET_WASM32_WASIP1_RUSTFLAGS", "-Ctarget-feature=+simd128");
        command.env("CARGO_TARGET_WASM32_WASIP1_RUNNER", format!("node --no-warnings {}", runner.display()));
    },
    filter: &["--", "simd::"],
};

const AARCH64: Machine = Machine {
    name: "aarch64",
    target: AARCH64_TARGET,
    needs: &[&needs::AARCH64_LIBRARY, &needs::QEMU],
    set_up: |_, command| {
        command.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "aarch64-linux-gnu-gcc");
        command
            .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", "qemu-aarch64 -L /usr/aarch64-linux-gnu");
    },
    filter: &[],
};

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    let mut install = Install::Allowed;
    let mut machines = Vec::new();
    for word in words {
        match word.as_str() {
            "--no-install" => install = Install::Forbidden,
            name => match [WASM, AARCH64].into_iter().find(|machine| machine.name == name) {
                Some(machine) => machines.push(machine),
                None => return Err(Usage::unknown("kernels", name).into()),
            },
        }
    }
    if machines.is_empty() {
        machines = vec![WASM, AARCH64];
    }
    let mut outcome = Outcome::Good;
    for machine in machines {
        if test_on(&machine, project, install)?.report() == Outcome::Bad {
            outcome = Outcome::Bad;
        }
    }
    Ok(outcome)
}

/// Tests WebAssembly's kernels.
pub(crate) fn verdict(project: &Project, install: Install) -> Result<Verdict> {
    test_on(&WASM, project, install)
}

/// Tests aarch64's kernels.
pub(crate) fn left_out(project: &Project, install: Install) -> Result<Verdict> {
    test_on(&AARCH64, project, install)
}

fn test_on(machine: &Machine, project: &Project, install: Install) -> Result<Verdict> {
    for need in machine.needs {
        if let Err(skipped) = ready(need, install) {
            return Ok(skipped);
        }
    }
    println!("testing the CPU kernels for {}", machine.target);
    let mut command = project.cargo();
    command.args(["test", "--package", "hala-backend-cpu", "--lib", "--target", machine.target]);
    command.args(machine.filter);
    (machine.set_up)(project, &mut command);
    Ok(match process::show(&mut command)? {
        true => Verdict::Passed(format!("the CPU kernels for {}", machine.target)),
        false => Verdict::Failed(format!("the CPU kernels for {}; see above", machine.target)),
    })
}
