//! Writes the JavaScript side of a WebAssembly module: what the command `wasm-bindgen` does, at the version of Cargo.lock.
//!
//! Usage: bindgen MODULE.wasm FOLDER

use std::env;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut words = env::args_os().skip(1);
    let (module, folder) = words.next().zip(words.next()).context("usage: bindgen MODULE.wasm FOLDER")?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).out_name("hala_wasm").typescript(true).web(true)?;
    bindgen.generate(folder)
}
