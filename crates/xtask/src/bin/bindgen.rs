//! Writes the JavaScript side of a WebAssembly module: what the command `wasm-bindgen` does, at the version of Cargo.lock.
//!
//! Usage: bindgen MODULE.wasm FOLDER NAME

use std::env;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut words = env::args_os().skip(1);
    let given = words.next().zip(words.next()).zip(words.next());
    let ((module, folder), name) = given.context("usage: bindgen MODULE.wasm FOLDER NAME")?;
    let name = name.to_str().context("NAME must be Unicode")?;
    let mut bindgen = Bindgen::new();
    // Names of functions are of no use to who does not debug, and weigh more than the code.
    bindgen.remove_name_section(true).remove_producers_section(true);
    bindgen.input_path(module).out_name(name).typescript(true).web(true)?;
    bindgen.generate(folder)
}
