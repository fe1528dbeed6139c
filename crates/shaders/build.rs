//! Reads `shaders/`, checks every variant and writes the table of variants that the library includes.

#![allow(clippy::print_stdout, reason = "cargo reads what a build script wants from its standard output")]

#[path = "build/mod.rs"]
mod compile;

use std::path::PathBuf;

use compile::{Devices, Folder};

fn main() {
    let done = build();
    // Cargo fails the build for these; an exit code besides would make it print everything twice.
    for line in done.err().iter().flat_map(|message| message.lines()) {
        println!("cargo::error={line}");
    }
}

fn build() -> Result<(), String> {
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("cargo did not set {name}"));
    let crate_folder = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let shaders = crate_folder.join("../../shaders");
    // Cargo looks through the whole folder, so a new file counts as a change.
    println!("cargo::rerun-if-changed={}", shaders.display());
    println!("cargo::rerun-if-changed={}", crate_folder.join("build.rs").display());
    let mut folder = Folder::new();
    compile::read(&shaders, "", &mut folder)?;
    let is_wasm = variable("CARGO_CFG_TARGET_FAMILY")?.split(',').any(|family| family == "wasm");
    let devices = if is_wasm { Devices::Browsers } else { Devices::All };
    let table = compile::compile(&folder, devices).map_err(|faults| {
        let lines: Vec<_> = faults.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })?;
    let out = PathBuf::from(variable("OUT_DIR")?).join("variants.rs");
    std::fs::write(&out, table).map_err(|error| format!("{} cannot be written: {error}", out.display()))
}
