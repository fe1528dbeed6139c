//! Linking the shared library from the static one, on systems with ELF files: what is left out, what is exported, and its name.
//!
//! So one compilation makes both, the one that `cargo test` has done too, and a system whose linker rustc cannot call needs a linker alone.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::compile::{Compiled, Profile};
use super::system::Names;
use crate::process;

/// Names of Rust's own library, which another library in Rust has too: a program may have both.
const RUSTS: [&str; 2] = ["_R*", "rust_eh_personality"];

/// The names that programs may call; all others are the library's own.
pub(super) const EXPORTED: &str = "hala_";

/// Links `to`; false where the linker fails, which it has told.
pub(super) fn link(compiled: &Compiled, names: &Names, profile: Profile, to: &Path) -> Result<bool> {
    let exports = to.with_extension("map");
    std::fs::write(&exports, format!("{{ global: {EXPORTED}*; local: *; }};\n"))
        .with_context(|| format!("{} cannot be written", exports.display()))?;
    let mut command = Command::new(&compiled.linker);
    command.args(["-shared", "-o"]).arg(to);
    command.arg(format!("-Wl,-soname,{}", names.bound));
    command.arg(format!("-Wl,--version-script={}", exports.display()));
    // Everything, so that the names that are exported are there, and then without what none of them uses.
    command
        .arg("-Wl,--whole-archive")
        .arg(&compiled.fixed)
        .args(["-Wl,--no-whole-archive", "-Wl,--gc-sections"]);
    // Addresses are filled in while it is loaded and read-only afterwards, and no symbol is left to chance.
    command.args(["-Wl,-z,relro,-z,now,-z,noexecstack,-z,defs", "-Wl,--as-needed"]);
    if profile == Profile::Native {
        command.arg("-Wl,--strip-all");
    }
    command.args(compiled.system_libraries.split(' '));
    let linked = process::show(&mut command)?;
    std::fs::remove_file(&exports).with_context(|| format!("{} cannot be removed", exports.display()))?;
    Ok(linked)
}

/// Takes from a static library that is one object the names that are its own, as far as they would meet others.
pub(super) fn keep_apart(library: &Path) -> Result<()> {
    let mut command = Command::new("objcopy");
    command.args(["--strip-unneeded", "--wildcard"]);
    command.args(RUSTS.map(|name| format!("--localize-symbol={name}"))).arg(library);
    let done = process::read(&mut command)?;
    ensure!(done.success, "objcopy cannot change {}: {}", library.display(), done.output.trim());
    Ok(())
}
