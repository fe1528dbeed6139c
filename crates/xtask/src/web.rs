//! The module for browsers: compiled, given its JavaScript side, made smaller.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::Outcome;
use crate::args::{Task, Usage};
use crate::process;
use crate::project::Project;
use crate::setup::{self, Fix, Install, State, WASM_TARGET, Way};
use crate::wasm;

pub(crate) const TASK: Task = Task {
    name: "web",
    about: "build what runs in a browser",
    help: "\
Compiles crates/wasm for wasm32 in release, writes its JavaScript side and puts both into web/package/wasm. Uses rustup's
standard library for that target, or Debian's from source where rustup cannot get it.

Usage: cargo xtask web [--no-install]

  --no-install  install nothing
",
    run,
};

/// Where the module and its JavaScript side go.
const MODULE_FOLDER: &str = "web/package/wasm";

fn run(project: &Project, words: &[String]) -> Result<Outcome> {
    let install = match words {
        [] => Install::Allowed,
        [word] if word == "--no-install" => Install::Forbidden,
        [word, ..] => return Err(Usage::unknown("web", word).into()),
    };
    let way = match setup::ensure(&setup::WASM, install) {
        State::Ready(way) => way,
        State::Missing { why, remedy } => {
            println!("{} is missing, needed {}: {why}\n  run: {remedy}", setup::WASM.name, setup::WASM.why);
            return Ok(Outcome::Bad);
        }
    };
    let Some(module) = compile(project, way)? else { return Ok(Outcome::Bad) };
    bind(project, &module)
}

/// Compiles the module; `None` where that fails, which the compiler has explained.
fn compile(project: &Project, way: &Way) -> Result<Option<PathBuf>> {
    let mut command = project.cargo();
    command.args(["build", "--package", "hala-wasm", "--profile", "web", "--target", WASM_TARGET]);
    // Every browser with WebAssembly of the last years has it, and products of rows are four times as fast.
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "-C target-feature=+simd128");
    let mut target = project.target();
    if let Fix::Debian(_) = way.fix {
        target = wasm::from_source(project, &mut command);
        with_rustup_linker(&mut command)?;
    }
    println!("web: compiling the module");
    let good = process::show(&mut command)?;
    Ok(good.then(|| target.join(WASM_TARGET).join("web/hala_wasm.wasm")))
}

/// Debian's compiler comes without a linker for wasm32; the rustup toolchain's does, and needs its own libraries.
fn with_rustup_linker(command: &mut Command) -> Result<()> {
    let print = |what: &[&str]| -> Result<String> {
        Ok(process::read(Command::new("rustc").args(["--print"]).args(what))?.output.trim().to_owned())
    };
    let sysroot = PathBuf::from(print(&["sysroot"])?);
    let host = print(&["host-tuple"])?;
    let linker = sysroot.join("lib/rustlib").join(host).join("bin/rust-lld");
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    command.env("LD_LIBRARY_PATH", sysroot.join("lib"));
    Ok(())
}

/// Writes the JavaScript side.
fn bind(project: &Project, module: &Path) -> Result<Outcome> {
    let folder = project.root.join(MODULE_FOLDER);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("{} cannot be emptied", folder.display()))?;
    }
    println!("web: writing the JavaScript side to {MODULE_FOLDER}");
    let mut command = project.cargo();
    command.args([
        "run",
        "--quiet",
        "--package",
        "hala-xtask",
        "--features",
        "bindgen",
        "--bin",
        "bindgen",
        "--",
    ]);
    let good = process::show(command.arg(module).arg(&folder))?;
    Ok(if good { Outcome::Good } else { Outcome::Bad })
}
